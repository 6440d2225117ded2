import { QueryClientProvider, useQuery } from '@tanstack/react-query'
import { act, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { ApiError } from './error'
import { keys, newQueryClient, refreshRegistry } from './queries'

function Shown({ read }: { read: () => Promise<string> }) {
  const { data, error } = useQuery({ queryKey: ['x'], queryFn: read })
  return <p>{`${data ?? ''} ${error instanceof ApiError ? error.code : ''}`.trim()}</p>
}

function Rows({ read }: { read: () => Promise<string> }) {
  return <p>{useQuery({ queryKey: keys.programs, queryFn: read }).data}</p>
}

function show(...answers: (string | ApiError)[]) {
  const asked = vi.fn(async () => {
    const answer = answers.length > 1 ? answers.shift()! : answers[0]!
    if (answer instanceof ApiError) throw answer
    return answer
  })
  const client = newQueryClient()
  render(
    <QueryClientProvider client={client}>
      <Shown read={asked} />
    </QueryClientProvider>,
  )
  return { asked, client }
}

const later = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms))

describe('what is shown', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('is not left old when it could not be read anew for a while', async () => {
    const down = new ApiError(503, 'database', '')
    const { client } = show('old', down, down, down, down, down, down, 'new')
    await later(100)
    expect(screen.getByText('old')).toBeTruthy()
    void client.invalidateQueries({ queryKey: ['x'] })
    await later(5_000)
    expect(screen.getByText('old database')).toBeTruthy()
    await later(20_000)
    expect(screen.getByText('new')).toBeTruthy()
  })

  it('waits as long as the server asked', async () => {
    const limited = new ApiError(503, 'busy', '', undefined, undefined, 5)
    const { asked } = show(limited, 'there')
    await later(4_900)
    expect(asked).toHaveBeenCalledTimes(1)
    await later(200)
    expect(screen.getByText('there')).toBeTruthy()
  })

  it('is not a first answer that was under way when a sync ended', async () => {
    const client = newQueryClient()
    const answers = [
      new Promise<string>((resolve) => setTimeout(() => resolve('none yet'), 500)),
      Promise.resolve('all of them'),
    ]
    render(
      <QueryClientProvider client={client}>
        <Rows read={() => answers.shift()!} />
      </QueryClientProvider>,
    )
    await later(100)
    void refreshRegistry(client)
    await later(1_000)
    expect(screen.getByText('all of them')).toBeTruthy()
  })

  it('is asked for once when the answer will not change', async () => {
    const { asked } = show(new ApiError(403, 'no_access', ''))
    await later(60_000)
    expect(screen.getByText('no_access')).toBeTruthy()
    expect(asked).toHaveBeenCalledTimes(1)
  })

  it('is not asked for again while all is well', async () => {
    const { asked } = show('fine')
    await later(60_000)
    expect(asked).toHaveBeenCalledTimes(1)
  })
})
