import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'

import { isAbort } from '../api/error'
import { refresh } from '../api/queries'
import { follow, type SseMessage } from '../api/sse'
import { whileSeen } from '../events/seen'
import { useApi } from '../session/context'
import { BASE, keys, runKey, useRunQuery } from './queries'
import { gently, isEnd, isOver, parse, runAfter } from './run'
import type { Run } from './types'

const READ_MS = 1_000
const ROWS_MS = 3_000

/** A run as it stands, followed by its events to the end. */
export function useRun(id: string) {
  const api = useApi()
  const client = useQueryClient()
  const query = useRunQuery(id)
  const [lost, setLost] = useState(false)
  const over = useRef(false)
  over.current = query.data !== undefined && isOver(query.data)

  useEffect(() => {
    let stop: AbortController | null = null
    let ended = false
    let lastEventId = ''
    const read = gently(() => void client.invalidateQueries({ queryKey: runKey(id) }), READ_MS)
    const rows = gently(() => {
      void client.invalidateQueries({ queryKey: keys.products })
      void client.invalidateQueries({ queryKey: keys.sellers })
    }, ROWS_MS)
    const leave = () => {
      stop?.abort()
      stop = null
    }
    const end = () => {
      ended = true
      leave()
    }
    const onMessage = (message: SseMessage): 'end' | void => {
      lastEventId = message.id
      const event = parse(message.data)
      if (event === null) return
      client.setQueryData<Run>(runKey(id), (run) => run && runAfter(run, event))
      if (!over.current) {
        // And once more: the job's row may be written just after its event.
        read()
        read()
        if (event.type === 'progress' || event.type === 'saved') rows()
      }
      if (isEnd(event)) return 'end'
    }
    const take = () => {
      if (ended || stop !== null) return
      stop = new AbortController()
      follow({
        request: (headers, signal, sent) =>
          api.send(`${BASE}/jobs/${id}/events`, { headers, signal, sent }),
        onMessage,
        onState: (state) => {
          setLost(state.is === 'lost')
          // Its events are not kept as long as the job itself.
          if (state.is === 'lost' && over.current) end()
        },
        lastEventId,
        signal: stop.signal,
      }).then(end, (error: unknown) => {
        if (isAbort(error)) return
        // What will not go away shows where the job itself is read, too.
        setLost(false)
        end()
      })
    }
    setLost(false)
    const look = whileSeen(take, leave)
    return () => {
      look()
      read.stop()
      rows.stop()
    }
  }, [api, client, id])

  useEnd(query.data)
  return { ...query, lost: lost && !over.current }
}

/**
 * Has all that a run changes read anew once it is over, whoever was first to say so: its
 * stream, or a look at the job itself.
 */
function useEnd(run: Run | undefined): void {
  const client = useQueryClient()
  const over = run && isOver(run)
  const before = useRef(over)
  useEffect(() => {
    if (before.current === false && over) {
      for (const queryKey of [keys.runs, keys.sellers, keys.products]) {
        void refresh(client, queryKey)
      }
    }
    before.current = over
  }, [client, over])
}
