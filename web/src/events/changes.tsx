import { useQueryClient, type QueryClient } from '@tanstack/react-query'
import { useEffect, type ReactNode } from 'react'

import type { ApiClient } from '../api/client'
import { isAbort } from '../api/error'
import { keys, refreshJobs, refreshRegistry } from '../api/queries'
import { follow, type SseMessage } from '../api/sse'
import type { Change } from '../api/types'
import { useApi } from '../session/context'
import { whileSeen } from './seen'

/** Has the page read anew what others have changed: schedules, other tabs, other people. */
export function ChangesProvider({ children }: { children: ReactNode }) {
  const api = useApi()
  const client = useQueryClient()
  useEffect(() => {
    const changes = new Changes(api, client)
    return whileSeen(
      () => changes.follow(),
      () => changes.leave(),
    )
  }, [api, client])
  return <>{children}</>
}

export class Changes {
  private lastEventId = ''
  private stop: AbortController | null = null
  private opened = false

  constructor(
    private readonly api: ApiClient,
    private readonly client: QueryClient,
  ) {}

  follow(): void {
    if (this.stop !== null) return
    const stop = new AbortController()
    this.stop = stop
    follow({
      request: (headers, signal, sent) =>
        this.api.send('/api/reseller/events', { headers, signal, sent }),
      onMessage: (message) => this.onMessage(message),
      onState: (state) => state.is === 'open' && this.onOpen(),
      lastEventId: this.lastEventId,
      signal: stop.signal,
    }).catch((error: unknown) => {
      // What will not go away shows where rows are read, too; nothing to add here.
      if (!isAbort(error) && this.stop === stop) this.stop = null
    })
  }

  leave(): void {
    this.stop?.abort()
    this.stop = null
  }

  /** Without an event seen yet, nobody can say what happened while there was no line. */
  private onOpen(): void {
    if (this.opened && this.lastEventId === '') this.all()
    this.opened = true
  }

  private onMessage(message: SseMessage): void {
    this.lastEventId = message.id
    const change = parse(message.data)
    if (change === null) return
    if (change.type === 'programs.custom_name_updated') {
      void this.client.invalidateQueries({ queryKey: keys.programs })
      void this.client.invalidateQueries({ queryKey: keys.live })
    } else this.all()
  }

  private all(): void {
    void refreshRegistry(this.client)
    void refreshJobs(this.client)
  }
}

function parse(data: string): Change | null {
  try {
    const change: unknown = JSON.parse(data)
    return typeof change === 'object' && change !== null && 'type' in change
      ? (change as Change)
      : null
  } catch {
    return null
  }
}
