import { ActionIcon, Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'

import { ApiError, isAbort } from '../api/error'
import { number } from '../i18n/format'
import { useApi } from '../session/context'
import { useExplainError } from '../ui/explain'
import { CloseIcon, DownloadIcon } from '../ui/icons'
import classes from './ExportButton.module.css'
import { exportCsv, save, type Progress } from './export'
import { filterQuery, sortOf, type View } from './view'

/** All that is filtered as a file, and how far that is. */
export function ExportButton({ view }: { view: View }) {
  const { t } = useTranslation('programs')
  const api = useApi()
  const explain = useExplainError()
  const stop = useRef<AbortController>()
  const [progress, setProgress] = useState<Progress | null>(null)

  useEffect(() => () => stop.current?.abort(), [])

  const run = async () => {
    const mine = new AbortController()
    stop.current = mine
    setProgress({ rows: 0, total: null })
    try {
      const query = { ...filterQuery(view), sort: sortOf(view) }
      const file = await exportCsv(api, query, setProgress, mine.signal)
      save(file)
      notifications.show({
        color: 'green',
        title: t('exported', { count: file.rows, n: number(file.rows) }),
        message: file.name,
      })
    } catch (error) {
      if (isAbort(error)) return
      const cut = error instanceof ApiError && error.code === 'cut_off'
      notifications.show({
        color: 'red',
        title: t('exportFailed'),
        message: cut ? t('exportCut') : explain(error),
        autoClose: 10_000,
      })
    } finally {
      setProgress(null)
    }
  }

  if (progress === null) {
    return (
      <Button
        variant="default"
        size="sm"
        leftSection={<DownloadIcon size={16} />}
        onClick={() => void run()}
      >
        {t('export')}
      </Button>
    )
  }
  const { rows, total } = progress
  return (
    <span className={classes.running}>
      <span role="status">
        {total === null
          ? t('exporting')
          : t('exportingOf', { n: number(rows), total: number(total) })}
      </span>
      <ActionIcon
        size="sm"
        variant="subtle"
        color="gray"
        aria-label={t('exportStop')}
        onClick={() => stop.current?.abort()}
      >
        <CloseIcon size={14} />
      </ActionIcon>
    </span>
  )
}
