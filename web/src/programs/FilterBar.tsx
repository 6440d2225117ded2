import { ActionIcon, Button, TextInput } from '@mantine/core'
import { useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import type { BusinessChoice, Choice, Filters } from '../api/types'
import { CloseIcon, SearchIcon } from '../ui/icons'
import { ChoiceFilter, type Option } from './ChoiceFilter'
import classes from './FilterBar.module.css'
import { useLabels } from './labels'
import { useFilters } from './queries'
import { findBusinesses } from './search'
import type { Change } from './useView'
import {
  cleanText,
  isFiltered,
  NO_FILTER,
  onlyFilter,
  PAUSES,
  STATUSES,
  TEXT_MAX,
  type Filter,
  type View,
} from './view'

interface Props {
  view: View
  change: Change
  filters: Filters | undefined
}

export function FilterBar({ view, change, filters }: Props) {
  const { t } = useTranslation('programs')
  const label = useLabels()
  const filter = onlyFilter(view)
  const statuses = useMemo(
    () => listed(filters?.statuses, STATUSES, label.status),
    [filters, label],
  )
  const pauses = useMemo(() => listed(filters?.pause, PAUSES, label.pause), [filters, label])
  const types = useMemo(
    () =>
      withChosen(
        filters?.types.map((c) => ({ ...c, label: label.type(c.value) })),
        view.type,
        label.type,
      ),
    [filters, view.type, label],
  )
  const name = useBusinessName(view.business, filters)
  const businesses = useMemo(
    () => withChosen(filters?.businesses.map(businessOption), view.business, (id) => name ?? id),
    [filters, view.business, name],
  )
  return (
    <div role="search" className={classes.bar} aria-label={t('filters')}>
      <div className={classes.fields}>
        <TextFilter value={view.text} onChange={(text) => change({ text }, 'typing')} />
        <Part
          filter={filter}
          part="business"
          label={t('business')}
          all={t('allBusinesses')}
          value={view.business}
          options={businesses}
          find={(text) => findBusinesses(filters?.businesses ?? [], text).map(businessOption)}
          onChange={(business) => change({ business })}
        />
        <Part
          filter={filter}
          part="status"
          label={t('status')}
          all={t('allStatuses')}
          value={view.status}
          options={statuses}
          onChange={(status) => change({ status: STATUSES.find((s) => s === status) ?? null })}
        />
        <Part
          filter={filter}
          part="type"
          label={t('type')}
          all={t('allTypes')}
          value={view.type}
          options={types}
          onChange={(type) => change({ type })}
        />
        <Part
          filter={filter}
          part="pause"
          label={t('pause')}
          all={t('allPauses')}
          value={view.pause}
          options={pauses}
          onChange={(pause) => change({ pause: PAUSES.find((p) => p === pause) ?? null })}
        />
      </div>
      {isFiltered(filter) && <Chips filter={filter} change={change} business={name} />}
    </div>
  )
}

/** Values in their own order, also those that would leave nothing. */
function listed<T extends string>(
  counted: Choice[] | undefined,
  values: readonly T[],
  say: (value: T) => string,
): Option[] {
  return values.map((value) => ({
    value,
    label: say(value),
    count: counted === undefined ? null : (counted.find((c) => c.value === value)?.count ?? 0),
  }))
}

/** The chosen one is among them, also when the other filters leave nothing of it. */
export function withChosen(
  options: Option[] | undefined,
  chosen: string | null,
  say: (value: string) => string,
): Option[] {
  if (chosen === null || options?.some(({ value }) => value === chosen)) return options ?? []
  const count = options === undefined ? null : 0
  return [...(options ?? []), { value: chosen, label: say(chosen), count }]
}

/** What the chosen business is called; without the other filters if they leave nothing of it. */
function useBusinessName(id: string | null, filters: Filters | undefined): string | null {
  const among = (some: Filters | undefined) => some?.businesses.find((b) => b.business_id === id)
  const found = among(filters)
  const lost = id !== null && filters !== undefined && found === undefined
  const all = useFilters(NO_FILTER, lost).data
  return (found ?? (lost ? among(all) : undefined))?.name ?? null
}

function businessOption({ business_id: id, name, count }: BusinessChoice): Option {
  return name === null
    ? { value: id, label: id, count }
    : { value: id, label: name, note: id, count }
}

interface PartProps {
  filter: Filter
  part: 'business' | 'status' | 'type' | 'pause'
  label: string
  all: string
  value: string | null
  options: Option[]
  find?(text: string): Option[]
  onChange(value: string | null): void
}

/** One filter. What "all" of it would give is asked for when somebody looks. */
function Part({ filter, part, all, ...rest }: PartProps) {
  const [opened, setOpened] = useState(false)
  const without = useFilters({ ...filter, [part]: null }, opened).data
  const status = part === 'status' ? null : filter.status
  const count = without === undefined ? null : totalOf(without, status)
  return <ChoiceFilter {...rest} all={{ label: all, count }} onOpen={() => setOpened(true)} />
}

/** Every program has one status, so together they are all that the other filters leave. */
export function totalOf({ statuses }: Filters, status: string | null): number {
  return statuses
    .filter(({ value }) => status === null || value === status)
    .reduce((sum, { count }) => sum + count, 0)
}

const TYPING_MS = 300

function TextFilter({ value, onChange }: { value: string; onChange(text: string): void }) {
  const { t } = useTranslation('programs')
  const [text, setText] = useState(value)
  const sent = useRef(value)
  const timer = useRef<ReturnType<typeof setTimeout>>()

  useEffect(() => () => clearTimeout(timer.current), [])

  // Back, a link, or all filters cleared.
  useEffect(() => {
    if (value === sent.current) return
    clearTimeout(timer.current)
    sent.current = value
    setText(value)
  }, [value])

  const send = (next: string, wait: number) => {
    clearTimeout(timer.current)
    const now = () => {
      sent.current = next.trim()
      onChange(next.trim())
    }
    if (wait === 0) now()
    else timer.current = setTimeout(now, wait)
  }

  return (
    <TextInput
      type="search"
      label={t('text')}
      size="sm"
      dir="auto"
      className={classes.text}
      placeholder={t('textPlaceholder')}
      maxLength={TEXT_MAX}
      leftSection={<SearchIcon size={16} />}
      rightSection={
        text !== '' && (
          <ActionIcon
            size="sm"
            variant="subtle"
            color="gray"
            aria-label={t('clearText')}
            onClick={() => {
              setText('')
              send('', 0)
            }}
          >
            <CloseIcon size={14} />
          </ActionIcon>
        )
      }
      value={text}
      onChange={(event) => {
        const next = cleanText(event.currentTarget.value)
        setText(next)
        send(next, TYPING_MS)
      }}
      onKeyDown={(event) => event.key === 'Enter' && send(text, 0)}
    />
  )
}

interface ChipsProps {
  filter: Filter
  change: Change
  /** Its name. */
  business: string | null
}

/** What is filtered by, each of it to be taken away alone, or all at once. */
function Chips({ filter, change, business }: ChipsProps) {
  const { t } = useTranslation('programs')
  const label = useLabels()
  const chips: [keyof Filter, string, string][] = []
  if (filter.text !== '') chips.push(['text', t('text'), filter.text])
  if (filter.business !== null) {
    chips.push(['business', t('business'), business ?? filter.business])
  }
  if (filter.status !== null) chips.push(['status', t('status'), label.status(filter.status)])
  if (filter.type !== null) chips.push(['type', t('type'), label.type(filter.type)])
  if (filter.pause !== null) chips.push(['pause', t('pause'), label.pause(filter.pause)])
  return (
    <div className={classes.chips}>
      <ul className={classes.chipList} aria-label={t('filtersSet')}>
        {chips.map(([part, name, value]) => (
          <li key={part} className={classes.chip}>
            <span className={classes.chipText}>
              {name}: <bdi>{value}</bdi>
            </span>
            <ActionIcon
              size="xs"
              variant="transparent"
              color="gray"
              aria-label={t('removeFilter', { name })}
              onClick={() => change({ [part]: NO_FILTER[part] })}
            >
              <CloseIcon size={12} />
            </ActionIcon>
          </li>
        ))}
      </ul>
      <Button size="compact-sm" variant="subtle" onClick={() => change(NO_FILTER)}>
        {t('clearFilters')}
      </Button>
    </div>
  )
}
