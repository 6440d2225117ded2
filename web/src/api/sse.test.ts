import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { Session } from '../session/session'
import { ApiClient } from './client'
import { ApiError } from './error'
import { backoff, follow, Nudge, SseParser, type SseMessage, type StreamState } from './sse'

function parse(...pieces: string[]) {
  const parser = new SseParser()
  return { parser, messages: pieces.flatMap((piece) => parser.feed(piece)) }
}

describe('SseParser', () => {
  it('reads an event with its id', () => {
    expect(parse('id: a.1\ndata: {"x":1}\n\n').messages).toEqual([{ id: 'a.1', data: '{"x":1}' }])
  })

  it('does not care where a piece ends', () => {
    const text = ': hi\r\nid: a.1\r\ndata: one\r\ndata: two\r\n\r\nid:a.2\rdata:three\r\r\n'
    const whole = parse(text).messages
    expect(whole).toEqual([
      { id: 'a.1', data: 'one\ntwo' },
      { id: 'a.2', data: 'three' },
    ])
    expect(parse(...text).messages).toEqual(whole)
  })

  it('makes no event of comments and of ids alone', () => {
    const { parser, messages } = parse(': ping\n\nid: a.7\n\n')
    expect(messages).toEqual([])
    expect(parser.lastEventId).toBe('a.7')
  })

  it('takes an id at its empty line, so that an event that is cut off is sent anew', () => {
    const parser = new SseParser('a.1')
    parser.feed('id: a.2\ndata: half')
    expect(parser.lastEventId).toBe('a.1')
    parser.feed('\n\n')
    expect(parser.lastEventId).toBe('a.2')
    parser.feed('data: without an id\n\n')
    expect(parser.lastEventId).toBe('a.2')
  })

  it('keeps an event back until its empty line', () => {
    expect(parse('data: x\n').messages).toEqual([])
  })

  it('reads retry, and only digits', () => {
    expect(parse('retry: 1500\n').parser.retry).toBe(1500)
    expect(parse('retry: 1.5\n').parser.retry).toBeNull()
  })

  it('takes no id with a NUL', () => {
    expect(parse('id: a\0b\n\n').parser.lastEventId).toBe('')
  })
})

describe('backoff', () => {
  it('doubles, stays under its ceiling and never falls to nothing', () => {
    expect(backoff(0, () => 0)).toBe(250)
    expect(backoff(0, () => 1)).toBe(500)
    expect(backoff(3, () => 1)).toBe(4000)
    expect(backoff(50, () => 1)).toBe(30000)
    expect(backoff(50, () => 0)).toBe(15000)
  })
})

/** A stream of these pieces; it stays open when told to hang. */
function body(pieces: string[], ending: 'end' | 'hang' | 'break' = 'end') {
  const encoder = new TextEncoder()
  return (signal: AbortSignal) =>
    new Response(
      new ReadableStream({
        start(controller) {
          for (const piece of pieces) controller.enqueue(encoder.encode(piece))
          if (ending === 'end') controller.close()
          signal.addEventListener('abort', () =>
            controller.error(new DOMException('aborted', 'AbortError')),
          )
        },
        // Once all pieces are taken, as an error takes with it what is still queued.
        pull(controller) {
          if (ending === 'break') controller.error(new TypeError('network error'))
        },
      }),
    )
}

type Answer = ((signal: AbortSignal) => Response) | Error

function harness(answers: Answer[]) {
  const asked: Record<string, string>[] = []
  const messages: SseMessage[] = []
  const states: StreamState[] = []
  const stop = new AbortController()
  const nudge = new Nudge()
  const done = follow({
    request: async (headers, signal) => {
      asked.push(headers)
      const answer = answers.shift()
      if (answer === undefined) throw new Error('asked once too often')
      if (answer instanceof Error) throw answer
      return answer(signal)
    },
    onMessage: (message) => {
      messages.push(message)
      return message.data === 'end' ? 'end' : undefined
    },
    onState: (state) => states.push(state),
    signal: stop.signal,
    nudge,
    random: () => 1,
  })
  const lost = () => states.filter((s) => s.is === 'lost')
  return { asked, messages, states, stop, nudge, done, lost }
}

describe('follow', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('ends when its handler says so', async () => {
    const h = harness([body(['id: j.1\ndata: end\n\n'], 'hang')])
    await h.done
    expect(h.messages).toEqual([{ id: 'j.1', data: 'end' }])
    expect(h.asked[0]).not.toHaveProperty('Last-Event-ID')
  })

  it.each(['end', 'break'] as const)(
    'goes on after what was seen when the line %ss',
    async (how) => {
      const h = harness([body(['id: j.1\ndata: x\n\n'], how), body(['id: j.2\ndata: end\n\n'])])
      await vi.advanceTimersByTimeAsync(501)
      await h.done
      expect(h.asked[1]).toMatchObject({ 'Last-Event-ID': 'j.1' })
      expect(h.messages.map((m) => m.id)).toEqual(['j.1', 'j.2'])
    },
  )

  it('waits as long as the server asked with retry', async () => {
    const h = harness([body(['retry: 3000\n\n']), body(['data: end\n\n'])])
    await vi.advanceTimersByTimeAsync(2900)
    expect(h.asked).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(200)
    await h.done
    expect(h.asked).toHaveLength(2)
  })

  it('waits longer each time while nothing arrives, and obeys Retry-After', async () => {
    const busy = new ApiError(503, 'busy', '', undefined, undefined, 7)
    const none = new ApiError(0, 'network', '')
    const h = harness([none, none, busy, body(['data: end\n\n'])])
    await vi.advanceTimersByTimeAsync(20_000)
    await h.done
    const waits = h.lost().map((s) => s.is === 'lost' && s.attempt)
    expect(waits).toEqual([0, 1, 2])
    const last = h.lost()[2]!
    const before = h.lost()[1]!
    if (last.is !== 'lost' || before.is !== 'lost') throw new Error('unreachable')
    expect(last.until - before.until).toBe(7000)
  })

  it('is as quick as at first after a line that brought something', async () => {
    const none = () => new ApiError(0, 'network', '')
    const h = harness([none(), none(), none(), body([': hi\n\n']), body(['data: end\n\n'])])
    await vi.advanceTimersByTimeAsync(20_000)
    await h.done
    expect(h.lost().map((s) => s.is === 'lost' && s.attempt)).toEqual([0, 1, 2, 0])
  })

  it('asks again for an event of which only half has come', async () => {
    const h = harness([
      body(['id: j.1\ndata: x\n\nid: j.2\n'], 'break'),
      body(['id: j.2\ndata: end\n\n']),
    ])
    await vi.advanceTimersByTimeAsync(501)
    await h.done
    expect(h.asked[1]).toMatchObject({ 'Last-Event-ID': 'j.1' })
  })

  it('has patience with a person who types a password', async () => {
    const session = new Session(null, async () => {})
    await session.signIn('a', 'old', false)
    const answers = [new Response('{}', { status: 401 }), body(['data: end\n\n'], 'hang')]
    const asked: unknown[] = []
    vi.stubGlobal('fetch', async (_: string, init: RequestInit) => {
      asked.push(init.headers)
      const answer = answers.shift()!
      return answer instanceof Response ? answer : answer(init.signal!)
    })
    const states: string[] = []
    const done = follow({
      request: (headers, signal, sent) =>
        new ApiClient(session).send('/x', { headers, signal, sent }),
      onMessage: () => 'end',
      onState: ({ is }) => states.push(is),
      signal: new AbortController().signal,
    })
    await vi.advanceTimersByTimeAsync(300_000)
    expect(session.get().is).toBe('expired')
    await session.signIn('a', 'new', false)
    await done
    expect(states).toEqual(['connecting', 'open'])
    expect(asked).toHaveLength(2)
    vi.unstubAllGlobals()
  })

  it('cuts a line that is never opened', async () => {
    const stop = new AbortController()
    const signals: AbortSignal[] = []
    const ended = follow({
      request: (_, signal, sent) => {
        signals.push(signal)
        sent(true)
        return new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError'))),
        )
      },
      onMessage: () => {},
      signal: stop.signal,
    }).catch(() => {})
    await vi.advanceTimersByTimeAsync(44_000)
    expect(signals[0]?.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(signals[0]?.aborted).toBe(true)
    stop.abort()
    await ended
  })

  it('cuts a line that has fallen silent', async () => {
    const h = harness([body(['id: j.1\ndata: x\n\n'], 'hang'), body(['data: end\n\n'])])
    await vi.advanceTimersByTimeAsync(44_000)
    expect(h.asked).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(2_000)
    await h.done
    expect(h.asked[1]).toMatchObject({ 'Last-Event-ID': 'j.1' })
  })

  it('is content with comments', async () => {
    const encoder = new TextEncoder()
    let line: ReadableStreamDefaultController<Uint8Array> | undefined
    const h = harness([
      () => new Response(new ReadableStream({ start: (controller) => void (line = controller) })),
    ])
    for (let i = 0; i < 8; i++) {
      await vi.advanceTimersByTimeAsync(15_000)
      line!.enqueue(encoder.encode(': ping\n\n'))
    }
    await vi.advanceTimersByTimeAsync(15_000)
    line!.enqueue(encoder.encode('data: end\n\n'))
    await vi.advanceTimersByTimeAsync(0)
    await h.done
    expect(h.asked).toHaveLength(1)
  })

  it('gives up on what will not go away', async () => {
    const h = harness([new ApiError(403, 'no_access', 'no')])
    await expect(h.done).rejects.toMatchObject({ code: 'no_access' })
  })

  it('stops on its signal, also in a pause', async () => {
    const h = harness([new ApiError(0, 'network', '')])
    const ended = expect(h.done).rejects.toMatchObject({ name: 'AbortError' })
    await vi.advanceTimersByTimeAsync(100)
    h.stop.abort()
    await ended
    expect(h.asked).toHaveLength(1)
  })

  it('tries at once when it is asked to', async () => {
    const none = new ApiError(503, 'busy', '', undefined, undefined, 60)
    const h = harness([none, body(['data: end\n\n'])])
    await vi.advanceTimersByTimeAsync(1000)
    h.nudge.now()
    await h.done
    expect(h.asked).toHaveLength(2)
  })
})
