import { Checkbox, FileButton, Textarea } from '@mantine/core'
import { useEffect, useRef, useState, type FormEvent } from 'react'
import { useTranslation } from 'react-i18next'

import { number } from '../i18n/format'
import { BusyButton } from '../ui/BusyButton'
import { Failure } from './Failure'
import { decode, idsOf, idsOfCsv, pieces, type Read, type Rejected } from './ids'
import classes from './Manage.module.css'
import { useAddProducts, useStart } from './queries'
import { productsOf } from './Sellers'
import type { Seller } from './types'

/** What became of a list or of a file. */
interface Report {
  added: number
  known: number
  /** Those that came after a request that failed. */
  notSent: number
  rejected: Rejected[]
}

type Doing = 'list' | 'file' | 'all'

/** Products by a pasted list, by a file, or all that the API has. */
export function AddProducts({ seller, focus }: { seller: Seller; focus: boolean }) {
  const { t } = useTranslation('analytics')
  const add = useAddProducts()
  const start = useStart()
  const [text, setText] = useState('')
  const [error, setError] = useState<{ of: Doing; text: string } | null>(null)
  const [failure, setFailure] = useState<unknown>(null)
  const [doing, setDoing] = useState<Doing | null>(null)
  const [report, setReport] = useState<Report | null>(null)
  // What was ticked, until the server has it.
  const [ticked, setTicked] = useState<boolean | null>(null)
  const area = useRef<HTMLTextAreaElement>(null)
  const told = useRef<HTMLDivElement>(null)
  const resetFile = useRef<() => void>(null)

  /** work: false when nothing was sent. */
  const perform = async (what: Doing, work: () => Promise<void | false>) => {
    if (doing !== null) return
    setError(null)
    setFailure(null)
    setReport(null)
    setDoing(what)
    try {
      if ((await work()) === false) return
      // The server knows whether there is something to do.
      void start.mutateAsync({ sellerId: seller.id, ifOlderThanHours: 24 }).catch(() => {})
    } catch (thrown) {
      setFailure(thrown)
    } finally {
      setDoing(null)
    }
  }

  useEffect(() => {
    if (report !== null) told.current?.scrollIntoView({ block: 'nearest' })
  }, [report])

  /** Whether all were sent. Those that were are there, whatever becomes of the others. */
  const send = async ({ ids, rejected }: Read): Promise<boolean> => {
    const sum: Report = { added: 0, known: 0, notSent: ids.length, rejected }
    for (const nmIds of pieces(ids)) {
      try {
        const { added, known } = await add(seller.id, { nmIds })
        sum.added += added
        sum.known += known
        sum.notSent -= nmIds.length
      } catch (thrown) {
        if (sum.notSent === ids.length) throw thrown
        setFailure(thrown)
        break
      }
    }
    setReport(sum)
    return sum.notSent === 0
  }

  const sendList = (event: FormEvent) => {
    event.preventDefault()
    const read = idsOf(text)
    if (read.ids.length === 0) {
      setError({ of: 'list', text: t('noIds') })
      area.current?.focus()
      return
    }
    void perform('list', async () => {
      if (await send(read)) setText('')
    })
  }

  const sendFile = async (file: File | null) => {
    if (file === null) return
    // So that the same one, mended, can be chosen again.
    resetFile.current?.()
    await perform('file', async () => {
      const read = idsOfCsv(decode(await file.arrayBuffer()))
      if (read.ids.length > 0) return void (await send(read))
      setError({ of: 'file', text: t('noIdsInFile', { name: file.name }) })
      return false
    })
  }

  const takeAll = (all: boolean) => {
    setTicked(all)
    void perform('all', async () => void (await add(seller.id, { all }))).finally(() =>
      setTicked(null),
    )
  }

  const all = ticked ?? seller.allProducts
  return (
    <>
      <p className={classes.help}>
        {productsOf(seller) !== null
          ? t('products', { count: seller.products, n: number(seller.products) })
          : t('allOfApi')}
      </p>
      <Failure error={failure} />
      <Checkbox
        className={classes.all}
        label={t('takeAll')}
        description={all ? t('takeAllOn') : t('takeAllHelp')}
        checked={all}
        aria-disabled={doing !== null}
        onChange={({ currentTarget: { checked } }) => doing !== null || takeAll(checked)}
      />
      <form className={classes.form} onSubmit={sendList} noValidate>
        <Textarea
          ref={area}
          label={t('idList')}
          description={t('idListHelp')}
          autosize
          minRows={3}
          maxRows={8}
          inputMode="numeric"
          spellCheck={false}
          value={text}
          onChange={({ currentTarget: { value } }) => setText(value)}
          error={error?.of === 'list' ? error.text : null}
          errorProps={{ role: 'alert' }}
          data-autofocus={focus || undefined}
        />
        <div className={classes.row}>
          <BusyButton type="submit" variant="default" busy={doing !== null}>
            {t('addIds')}
          </BusyButton>
          <FileButton
            resetRef={resetFile}
            accept=".csv,.tsv,.txt,text/csv,text/plain"
            inputProps={{ 'aria-label': t('addFile') }}
            onChange={(file) => void sendFile(file)}
          >
            {(props) => (
              <BusyButton {...props} variant="default" busy={doing !== null}>
                {t('addFile')}
              </BusyButton>
            )}
          </FileButton>
        </div>
        <p className={classes.help}>{t('addFileHelp')}</p>
        {error?.of === 'file' && (
          <p className={classes.wrong} role="alert">
            {error.text}
          </p>
        )}
        <div role="status" ref={told} className={classes.told}>
          {report !== null && <Told report={report} />}
        </div>
      </form>
    </>
  )
}

const REJECTED_SHOWN = 20

function Told({ report: { added, known, notSent, rejected } }: { report: Report }) {
  const { t } = useTranslation('analytics')
  const said = [t('added', { count: added, n: number(added) })]
  if (known > 0) said.push(t('known', { count: known, n: number(known) }))
  const n = rejected.length
  return (
    <div className={classes.report} data-tone={n > 0 || notSent > 0 ? 'wait' : 'good'}>
      <p>{said.join(', ')}</p>
      {notSent > 0 && <p>{t('notSent', { count: notSent, n: number(notSent) })}</p>}
      {n > 0 && (
        <>
          <p>{t('rejected', { count: n, n: number(n) })}</p>
          <ul>
            {rejected.slice(0, REJECTED_SHOWN).map(({ text, line }, i) => (
              <li key={i}>
                {line !== null && `${t('line', { n: number(line) })}: `}
                <bdi>{text}</bdi>
              </li>
            ))}
          </ul>
          {n > REJECTED_SHOWN && <p>{t('rejectedMore', { n: number(n - REJECTED_SHOWN) })}</p>}
        </>
      )}
    </div>
  )
}
