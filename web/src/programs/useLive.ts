import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'

import type { Program } from '../api/types'
import { number } from '../i18n/format'
import { useApi } from '../session/context'
import { useFreshness } from '../sync/context'
import { useExplainError } from '../ui/explain'
import { differing, type Live } from './live'
import type { MarkKind } from './Mark'
import { liveQuery } from './queries'

export type Tell = (id: string, live: Live) => void

/** What live answers have said of the programs, until a sync makes that old. */
export function useLive() {
  const [told, setTold] = useState<ReadonlyMap<string, Live>>(new Map())
  const goodAt = useFreshness()?.goodAt
  useEffect(() => setTold(new Map()), [goodAt])
  const tell = useCallback<Tell>(
    (id, live) => setTold((before) => new Map(before).set(id, live)),
    [],
  )
  const gone = useMemo(() => [...told.values()].filter((live) => live.is === 'gone').length, [told])
  return { told, tell, gone }
}

export function markOf(program: Program, live: Live | undefined): MarkKind | undefined {
  if (live === undefined) return undefined
  if (live.is !== 'known') return live.is
  return differing(program, live.values).size > 0 ? 'differs' : undefined
}

export function marksOf(
  programs: readonly Program[],
  told: ReadonlyMap<string, Live>,
): Map<string, MarkKind> {
  const marks = new Map<string, MarkKind>()
  for (const program of programs) {
    const mark = markOf(program, told.get(program.program_id))
    if (mark !== undefined) marks.set(program.program_id, mark)
  }
  return marks
}

/** Asks the partner for all programs of a page at once. */
export function useCheckPage(tell: Tell) {
  const { t } = useTranslation('programs')
  const api = useApi()
  const client = useQueryClient()
  const explain = useExplainError()
  return useMutation({
    networkMode: 'always',
    mutationFn: (programs: readonly Program[]) => {
      const ids = programs.map((p) => p.program_id)
      return client.fetchQuery({ ...liveQuery(api, ids), staleTime: 0 })
    },
    onSuccess: (answers, programs) => {
      for (const [id, live] of answers) tell(id, live)
      const marks = [...marksOf(programs, answers).values()]
      const n = marks.length
      notifications.show(
        n === 0
          ? { color: 'green', message: t('checkedSame') }
          : { color: 'yellow', message: t('checkedOther', { count: n, n: number(n) }) },
      )
    },
    onError: (error) => {
      notifications.show({ color: 'red', title: t('checkFailed'), message: explain(error) })
    },
  })
}
