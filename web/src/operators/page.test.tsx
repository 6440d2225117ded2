import { notifications, Notifications } from '@mantine/notifications'
import { cleanup, fireEvent, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { Route, Routes } from 'react-router-dom'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { setLanguage, startI18n } from '../i18n'
import { draw } from '../test/draw'
import { json, Line, problem, serve } from '../test/server'
import { AnalyticsPage, frame, JobsPage } from './index'

let Frame: Awaited<ReturnType<typeof frame>>
beforeAll(async () => {
  await startI18n()
  Frame = await frame()
})
beforeEach(() => setLanguage('en'))
afterEach(() => {
  notifications.clean()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

const seller = {
  id: 7,
  name: 'shop',
  tokenKind: 'personal',
  tokenState: 'active',
  tokenExpiresAt: null,
  tokenExpiresSoon: false,
  timeZone: 'Europe/Moscow',
  allProducts: false,
  jam: true,
  products: 438,
  failedProducts: 0,
  lastSyncAt: null,
  oldestSyncAt: null,
  trouble: null,
  taskId: null as string | null,
  nextRunAt: null,
}
const product = {
  nmId: 100,
  title: 'A <b>lamp</b>',
  views: 2000,
  addToCart: null,
  revenue: 30900,
  currency: 'RUB',
  syncStatus: 'success',
  syncError: null,
  lastSyncAt: null,
}
const past = {
  ...product,
  vendorCode: null,
  brand: null,
  subject: null,
  topSearchQueries: null as unknown[] | null,
  textsPeriodStart: null as string | null,
  textsPeriodEnd: null as string | null,
  periodStart: '2026-11-01',
  periodEnd: '2026-11-30',
  lastAttemptAt: null,
  history: [],
}
const totals = {
  products: 1,
  withData: 1,
  views: 2000,
  revenue: 30900,
  currency: 'RUB',
  periodStart: null,
  periodEnd: null,
}
const job = {
  id: 'a1',
  kind: 'analytics.sync',
  state: 'running',
  created_at: '2026-11-20T10:00:00Z',
  started_at: '2026-11-20T10:00:00Z',
  finished_at: null as string | null,
  progress: { done: 0, total: 438, percentage: 0 },
  counts: { failed: 0 },
  eta_at: null,
  waiting_until: null,
  waiting_reason: null,
  errors: [] as { item: string; code: string; detail: string }[],
  calls: { made: 1, left: 9 },
  batches: { done: 1, total: 44 },
  seller: { id: 7, name: 'shop' },
}

function server(more: Parameters<typeof serve>[0] = {}) {
  return serve({
    'GET /api/analytics/sellers': () => json({ sellers: [seller] }),
    'GET /api/analytics/products': () =>
      json({ products: [product], total_count: 1, totals, next_cursor: null }),
    'POST /api/analytics/sync-background': () => json({ taskId: null, fresh: true }),
    'GET /api/analytics/jobs': () => json({ jobs: [job] }),
    'GET /api/analytics/jobs/a1': () => json(job),
    'GET /api/analytics/jobs/a1/events': (_, signal) => new Line().open(signal),
    ...more,
  })
}

/** The clock goes on as ever, and can be moved on by so many milliseconds. */
function time(): (ms: number) => Promise<void> {
  const toFake = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const
  vi.useFakeTimers({ toFake: [...toFake], shouldAdvanceTime: true })
  return async (ms) => {
    vi.advanceTimersByTime(ms)
    // What that has begun is given its turn.
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}

function open(at: string) {
  draw(
    <>
      <Notifications />
      <Routes>
        <Route element={<Frame />}>
          <Route path="/analytics" element={<AnalyticsPage />} />
          <Route path="/jobs" element={<JobsPage />} />
        </Route>
      </Routes>
    </>,
    undefined,
    at,
  )
}

describe('the operators’ pages', () => {
  it('leave the login to the browser', async () => {
    const given: RequestInit[] = []
    const asked = server()
    const fetched = globalThis.fetch
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
      given.push(init)
      return fetched(url, init)
    })
    open('/analytics')
    await screen.findByRole('button', { name: 'Details of A <b>lamp</b>, 100' })
    expect(asked.length).toBeGreaterThan(2)
    expect(new Set(given.map((init) => init.credentials))).toEqual(new Set(['same-origin']))
    for (const { headers } of asked) {
      expect(headers).not.toHaveProperty('Authorization')
      // With it a 401 would not bring the dialog.
      expect(headers).not.toHaveProperty('X-Requested-With')
    }
  })

  it('say so when the dialog was left', async () => {
    const asked = server({
      'GET /api/analytics/sellers': () => problem(401, 'login_missing'),
    })
    open('/analytics')
    await screen.findByText(/could not be read: You are not signed in/)
    expect(asked.filter((a) => a.path.endsWith('/sellers'))).toHaveLength(1)
  })

  it('do not have the dialog come back by itself once it was left', async () => {
    const pass = time()
    let told = 0
    const asked = server({
      'GET /api/analytics/sellers': () =>
        told++ === 0
          ? json({ sellers: [{ ...seller, taskId: 'a1' }] })
          : problem(401, 'login_missing'),
      'GET /api/analytics/jobs/a1': () => problem(401, 'login_missing'),
      'GET /api/analytics/jobs/a1/events': () => problem(401, 'login_missing'),
    })
    open('/analytics')
    await screen.findByText(/Newer data could not be read: You are not signed in/)
    await screen.findByText(/It could not be read: You are not signed in/)
    const gets = () => asked.filter(({ method }) => method === 'GET').length
    const before = gets()
    await pass(300_000)
    expect(gets()).toBe(before)
    fireEvent.click(screen.getAllByRole('button', { name: 'Try again' })[0]!)
    await waitFor(() => expect(gets()).toBe(before + 1))
  })

  it('have a run begun on opening only where the data is old', async () => {
    const asked = server()
    open('/analytics')
    await waitFor(() => expect(asked.some((a) => a.method === 'POST')).toBe(true))
    await screen.findByRole('table')
    const posts = asked.filter((a) => a.method === 'POST')
    expect(posts.map((a) => JSON.parse(a.body ?? ''))).toEqual([
      { sellerId: 7, ifOlderThanHours: 24 },
    ])
    expect(screen.queryByRole('progressbar')).toBeNull()
  })

  it('say in Russian what the button does', async () => {
    await setLanguage('ru')
    let release = (_: Response) => {}
    const asked = server({
      'POST /api/analytics/sync-background': ({ body }) =>
        body?.includes('ifOlder')
          ? json({ taskId: null, fresh: true })
          : new Promise<Response>((resolve) => (release = resolve)),
    })
    open('/analytics')
    await userEvent.click(await screen.findByRole('button', { name: 'Синхронизировать аналитику' }))
    await userEvent.click(await screen.findByRole('button', { name: 'Запуск...' }))
    release(json({ taskId: 'a1', joined: false, etaSeconds: 164 }, 202))
    await screen.findByText('Фоновая синхронизация запущена!')
    await screen.findByText('Данные будут обновляться в течение 2 мин 44 с')
    await screen.findByRole('progressbar')
    expect(asked.filter((a) => a.method === 'POST')).toHaveLength(2)
  })

  it('say in Russian that it could not be started', async () => {
    await setLanguage('ru')
    server({
      'POST /api/analytics/sync-background': ({ body }) =>
        body?.includes('ifOlder') ? json({ taskId: null, fresh: true }) : problem(503, 'busy'),
    })
    open('/analytics')
    await userEvent.click(await screen.findByRole('button', { name: 'Синхронизировать аналитику' }))
    await screen.findByText('Ошибка запуска синхронизации')
  })

  it.each([
    ['en', { state: 'paused' }, /^The run of this seller is paused/, /^Resume it/],
    ['ru', { state: 'paused' }, /на паузе$/, /^Продолжите её/],
    ['ru', { state: 'waiting', etaSeconds: 65 }, 'Синхронизация уже выполняется', /1 мин 5 с$/],
    ['uk', { state: 'running', etaSeconds: 65 }, 'Синхронізація вже виконується', /1 хв 5 с$/],
  ] as const)('say in %s how a run stands that was there already: %j', async (...given) => {
    const [language, task, title, text] = given
    await setLanguage(language)
    server({
      'POST /api/analytics/sync-background': ({ body }) =>
        body?.includes('ifOlder')
          ? json({ taskId: null, fresh: true })
          : json({ taskId: 'a1', joined: true, etaSeconds: null, ...task }, 202),
    })
    open('/analytics')
    const name = /^(?:Sync analytics|Синхронизировать аналитику|Синхронізувати аналітику)$/
    await userEvent.click(await screen.findByRole('button', { name }))
    await screen.findByText(title)
    await screen.findByText(text)
  })

  it.each([
    ['ru', 409, 'conflict', {}, 'API не принимает токен'],
    ['en', 409, 'conflict', { tokenState: 'expired' }, 'The token has expired'],
    ['uk', 422, 'unfit_field', { products: 0 }, 'У цього продавця ще немає товарів'],
  ] as const)('say in %s why a run is refused: %i %s', async (...given) => {
    const [language, status, code, what, text] = given
    await setLanguage(language)
    server({
      'GET /api/analytics/sellers': () => json({ sellers: [{ ...seller, ...what }] }),
      'POST /api/analytics/sync-background': ({ body }) =>
        body?.includes('ifOlder') ? json({ taskId: null, fresh: true }) : problem(status, code),
    })
    open('/analytics')
    const name = /^(?:Sync analytics|Синхронизировать аналитику|Синхронізувати аналітику)$/
    await userEvent.click(await screen.findByRole('button', { name }))
    await within(await screen.findByRole('alert')).findByText(text)
  })

  it('follow a run to its end and then have the rows read anew', async () => {
    const line = new Line()
    let state = { ...job }
    const asked = server({
      'GET /api/analytics/sellers': () => json({ sellers: [{ ...seller, taskId: 'a1' }] }),
      'GET /api/analytics/jobs/a1': () => json(state),
      'GET /api/analytics/jobs/a1/events': (_, signal) => line.open(signal),
    })
    open('/analytics')
    const bar = await screen.findByRole('progressbar')
    await waitFor(() => expect(line.opened).toBe(true))
    line.send('1', { type: 'info', products: 438, batches: 44, calls: 10 })
    state = {
      ...job,
      progress: { done: 50, total: 438, percentage: 11 },
      batches: { done: 5, total: 44 },
    }
    line.send('2', {
      type: 'progress',
      batch: 5,
      batches: 44,
      done: 50,
      failed: 0,
      total: 438,
      percentage: 11,
    })
    await screen.findByText(/Batches 5 of 44/)
    expect(bar.getAttribute('aria-valuenow')).toBe('11')
    const rows = () => asked.filter((a) => a.path.startsWith('/api/analytics/products')).length
    const before = rows()
    state = {
      ...job,
      state: 'done',
      progress: { done: 438, total: 438, percentage: 100 },
    }
    line.send('3', { type: 'complete', status: 'synced' })
    await screen.findByText('438 products refreshed')
    await waitFor(() => expect(rows()).toBeGreaterThan(before))
  })

  it('have the rows read anew also when the job is seen to be over before its stream ends', async () => {
    const line = new Line()
    let state = { ...job }
    const asked = server({
      'GET /api/analytics/sellers': () => json({ sellers: [{ ...seller, taskId: 'a1' }] }),
      'GET /api/analytics/jobs/a1': () => json(state),
      'GET /api/analytics/jobs/a1/events': (_, signal) => line.open(signal),
    })
    open('/analytics')
    await screen.findByText('Refreshing the products')
    await screen.findByRole('table')
    await waitFor(() => expect(line.opened).toBe(true))
    const rows = () => asked.filter((a) => a.path.startsWith('/api/analytics/products')).length
    const before = rows()
    state = { ...job, state: 'done', progress: { done: 438, total: 438, percentage: 100 } }
    line.send('1', { type: 'waiting', until: null, reason: 'api_pace' })
    await screen.findByText('438 products refreshed')
    await waitFor(() => expect(rows()).toBeGreaterThan(before))
  })

  it('let the stream of a run go where nobody looks, and take it up where it was', async () => {
    const pass = time()
    let seen: DocumentVisibilityState = 'visible'
    vi.spyOn(document, 'visibilityState', 'get').mockImplementation(() => seen)
    const show = (state: DocumentVisibilityState) => {
      seen = state
      document.dispatchEvent(new Event('visibilitychange'))
    }
    const lines = [new Line(), new Line()]
    const signals: (AbortSignal | null)[] = []
    const asked = server({
      'GET /api/analytics/jobs/a1/events': (_, signal) => {
        const line = lines[signals.length]
        signals.push(signal)
        return line?.open(signal) ?? problem(404, 'not_found')
      },
    })
    open('/jobs?job=a1')
    await waitFor(() => expect(lines[0]?.opened).toBe(true))
    lines[0]?.send('a1.1', { type: 'info', products: 438, batches: 44, calls: 10 })
    await screen.findAllByText(/Batches 1 of 44/)
    show('hidden')
    await pass(40_000)
    lines[0]?.send('a1.2', { type: 'waiting', until: null, reason: 'api_pace' })
    await pass(10)
    expect(signals.map((signal) => signal?.aborted)).toEqual([false])
    await pass(20_000)
    expect(signals.map((signal) => signal?.aborted)).toEqual([true])
    show('visible')
    await waitFor(() => expect(lines[1]?.opened).toBe(true))
    const events = asked.filter((a) => a.path.endsWith('/events'))
    expect(events.map((a) => a.headers['Last-Event-ID'])).toEqual([undefined, 'a1.2'])
    expect(screen.getAllByText(/Batches 1 of 44/)).not.toHaveLength(0)
  })

  it('ask for the stream of a run anew when nothing comes of it', async () => {
    const pass = time()
    const asked = server({
      'GET /api/analytics/jobs/a1/events': (_, signal) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(new DOMException('x', 'AbortError')))
        }),
    })
    open('/jobs?job=a1')
    const events = () => asked.filter((a) => a.path.endsWith('/events')).length
    await waitFor(() => expect(events()).toBe(1))
    await pass(46_000)
    await waitFor(() => expect(events()).toBe(2))
  })

  it('do not take for the newest what was asked for before a run was over', async () => {
    const line = new Line()
    let state = { ...job }
    const asked = server({
      'GET /api/analytics/sellers': () => json({ sellers: [{ ...seller, taskId: 'a1' }] }),
      'GET /api/analytics/products': () => {
        if (state.state !== 'done') return new Promise(() => {})
        return json({ products: [product], total_count: 1, totals, next_cursor: null })
      },
      'GET /api/analytics/jobs/a1': () => json(state),
      'GET /api/analytics/jobs/a1/events': (_, signal) => line.open(signal),
    })
    open('/analytics')
    await screen.findByText('Refreshing the products')
    await waitFor(() => expect(line.opened).toBe(true))
    expect(asked.filter((a) => a.path.startsWith('/api/analytics/products'))).toHaveLength(1)
    state = { ...job, state: 'done' }
    line.send('1', { type: 'complete', status: 'synced' })
    await screen.findByRole('button', { name: /lamp/ })
  })

  it('show what a run has brought that nobody has seen', async () => {
    let sellers = 0
    server({
      'GET /api/analytics/sellers': () => {
        const lastSyncAt = sellers++ === 0 ? '2026-11-19T02:00:00Z' : '2026-11-20T02:00:00Z'
        return json({ sellers: [{ ...seller, lastSyncAt }] })
      },
      // Which has the sellers read again.
      'POST /api/analytics/sync-background': async () => {
        await screen.findByRole('button', { name: /lamp/ })
        return json({ taskId: null, fresh: true })
      },
      'GET /api/analytics/products': () => {
        const title = sellers > 1 ? 'A chair' : product.title
        return json({
          products: [{ ...product, title }],
          total_count: 1,
          totals,
          next_cursor: null,
        })
      },
    })
    open('/analytics')
    await screen.findByRole('button', { name: /A chair/ })
  })

  it('show what is missing as missing, not as zero', async () => {
    server()
    open('/analytics')
    const row = (await screen.findByRole('button', { name: /lamp/ })).closest('tr')!
    const cells = [...row.querySelectorAll('td')].map((td) => td.textContent)
    expect(cells[0]).toBe('2,000')
    expect(cells[1]).toBe('—no data')
    expect(cells[5]).toMatch(/^\D?30,900$/)
  })

  it.each([
    [
      'en',
      5,
      'Totals of 433 of 438 products, Nov 1, 2026 – Nov 30, 2026; the newest figures of 5 are of other periods and not counted in',
    ],
    [
      'ru',
      5,
      'Итого: 433 из 438 товаров, 1 нояб. 2026 г. – 30 нояб. 2026 г.; новейшие показатели 5 товаров — за другие периоды и не учтены',
    ],
    [
      'uk',
      1,
      'Разом: 433 із 438 товарів, 1 лист. 2026 р. – 30 лист. 2026 р.; найновіші показники 1 товару — за інший період і не враховані',
    ],
    ['en', undefined, 'Totals of 433 of 438 products, Nov 1, 2026 – Nov 30, 2026'],
  ] as const)(
    'say in %s of which products and of what time the sums are',
    async (language, ofOtherPeriods, text) => {
      await setLanguage(language)
      const period = { periodStart: '2026-11-01', periodEnd: '2026-11-30' }
      const some = { ...totals, ...period, products: 438, withData: 433, ofOtherPeriods }
      server({
        'GET /api/analytics/products': () =>
          json({ products: [product], total_count: 438, totals: some, next_cursor: null }),
      })
      open('/analytics')
      await screen.findByRole('heading', { name: text })
    },
  )

  it('do not call money missing that is in several currencies', async () => {
    const mixed = { ...totals, addToCart: null, revenue: null, avgOrderValue: null, currency: null }
    server({
      'GET /api/analytics/products': () =>
        json({ products: [product], total_count: 1, totals: mixed, next_cursor: null }),
    })
    open('/analytics')
    const sums = await screen.findByRole('region', { name: 'Totals of 1 product' })
    const said = (name: string) => within(sums).getByText(name).nextElementSibling?.textContent
    expect(said('Ordered for')).toBe('several currencies')
    expect(said('Per order')).toBe('several currencies')
    expect(said('To cart')).toBe('—no data')
  })

  it('keep the filters, and what is typed, whatever becomes of the rows', async () => {
    const answers: Record<string, () => Response> = {
      '': () => json({ products: [product], total_count: 1, totals, next_cursor: null }),
      none: () => json({ products: [], total_count: 0, totals, next_cursor: null }),
      bad: () => problem(500, 'internal'),
    }
    let held: Promise<void> | null = null
    server({
      'GET /api/analytics/products': async ({ path }) => {
        await held
        return answers[new URLSearchParams(path.split('?')[1]).get('search') ?? '']!()
      },
    })
    open('/analytics?q=none')
    await screen.findByText('No product matches')
    const field = screen.getByLabelText('Search')
    let go = () => {}
    held = new Promise((resolve) => (go = resolve))
    await userEvent.clear(field)
    // Long enough for it to be asked for; the rows are those of the filter before.
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(field.isConnected).toBe(true)
    expect(document.activeElement).toBe(field)
    go()
    held = null
    await screen.findByRole('button', { name: /lamp/ })
    await userEvent.type(field, 'bad')
    await screen.findByText(/^It could not be read/)
    expect(screen.getByLabelText('Search')).toBe(field)
    expect(document.activeElement).toBe(field)
    await userEvent.clear(field)
    await screen.findByRole('button', { name: /lamp/ })
    expect(document.activeElement).toBe(field)
  })

  it('say of what time search texts are, and that there are none of that', async () => {
    const texts = { topSearchQueries: [] as unknown[], textsPeriodStart: '2026-11-17' }
    let shown = { ...past, ...texts, textsPeriodEnd: '2026-11-23' }
    server({ 'GET /api/analytics/products/100': () => json(shown) })
    open('/analytics?seller=7&product=100')
    await screen.findByRole('heading', { name: 'Search texts · Nov 17, 2026 – Nov 23, 2026' })
    screen.getByText('There were none from Nov 17, 2026 to Nov 23, 2026.')
    cleanup()
    shown = { ...shown, textsPeriodStart: past.periodStart, textsPeriodEnd: past.periodEnd }
    open('/analytics?seller=7&product=100')
    await screen.findByRole('heading', { name: 'Search texts · Nov 1, 2026 – Nov 30, 2026' })
    screen.getByText('There are none for this period.')
  })

  it('do not show one that was never tried as a good one', async () => {
    const never = { ...past, syncStatus: null }
    server({ 'GET /api/analytics/products/100': () => json(never) })
    open('/analytics?seller=7&product=100')
    const drawer = await screen.findByRole('dialog', { name: 'Details' })
    const said = await within(drawer).findByText('Not tried yet')
    expect(said.closest('[data-tone]')).toBeNull()
  })

  it('take a product off after a question, and only that', async () => {
    const products = [product, { ...product, nmId: 200, title: 'A chair' }]
    const asked = server({
      'GET /api/analytics/sellers': () => json({ sellers: [{ ...seller, allProducts: true }] }),
      'GET /api/analytics/products': () =>
        json({ products, total_count: products.length, totals, next_cursor: null }),
      'GET /api/analytics/products/100': () => json(past),
      'DELETE /api/analytics/sellers/7/products': () => {
        products.shift()
        return json({ removed: 1, unknown: 0, rejectedCount: 0, rejected: [], total: 1 })
      },
    })
    open('/analytics')
    await userEvent.click(await screen.findByRole('button', { name: /lamp/ }))
    await userEvent.click(await screen.findByRole('button', { name: 'Remove this product' }))
    const name = 'Remove A <b>lamp</b>?'
    const question = await screen.findByRole('dialog', { name })
    within(question).getByText(/the next run brings it back/)
    await waitFor(() => expect(document.activeElement?.textContent).toBe('Cancel'))
    await userEvent.keyboard('{Escape}')
    await waitFor(() => expect(question.isConnected).toBe(false))
    expect(screen.getByRole('dialog', { name: 'Details' })).toBeTruthy()
    await userEvent.click(screen.getByRole('button', { name: 'Remove this product' }))
    const again = await screen.findByRole('dialog', { name })
    await userEvent.click(within(again).getByRole('button', { name: 'Remove this product' }))
    await screen.findByText('A <b>lamp</b> is removed')
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    await waitFor(() => expect(screen.queryByRole('button', { name: /lamp/ })).toBeNull())
    expect(screen.getByRole('button', { name: /chair/ })).toBeTruthy()
    const gone = asked.filter((a) => a.method === 'DELETE')
    expect(gone.map((a) => JSON.parse(a.body ?? ''))).toEqual([{ nmIds: [100] }])
    expect(asked.filter((a) => a.path.startsWith('/api/analytics/products/'))).toHaveLength(1)
  })

  it('say that a job is not told of anew, and that it is gone when it is', async () => {
    const pass = time()
    const line = new Line()
    let answer = () => json({ ...job })
    const asked = server({
      'GET /api/analytics/jobs/a1': () => answer(),
      'GET /api/analytics/jobs/a1/events': (_, signal) => line.open(signal),
    })
    open('/jobs?job=a1')
    await screen.findByText('Refreshing the products')
    await waitFor(() => expect(line.opened).toBe(true))
    answer = () => problem(500, 'internal')
    line.send('1', { type: 'waiting', until: null, reason: 'api_pace' })
    const alert = await screen.findByRole('alert')
    expect(alert.textContent).toMatch(/^Newer data could not be read: A mistake of ours/)
    screen.getByText('Refreshing the products')
    answer = () => problem(404, 'not_found')
    fireEvent.click(within(alert).getByRole('button', { name: 'Try again' }))
    await screen.findByText('There is no such job, or not any more')
    expect(screen.queryByRole('progressbar')).toBeNull()
    expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull()
    const gets = () => asked.filter((a) => a.path.endsWith('/jobs/a1')).length
    // What the event before has asked for once more.
    await pass(2_000)
    const before = gets()
    await pass(60_000)
    expect(gets()).toBe(before)
  })

  it('list jobs, and show one with its errors by product', async () => {
    const errors = [{ item: '100', code: 'no_data', detail: 'The API has no row.' }]
    server({
      'GET /api/analytics/jobs/a1': () =>
        json({
          ...job,
          state: 'partial',
          finished_at: '2026-11-20T10:02:44Z',
          errors,
        }),
    })
    open('/jobs')
    await userEvent.click(await screen.findByRole('link', { name: /Job of shop/ }))
    await screen.findByText('The API has no row for it')
    const link = screen.getByRole('link', { name: '100' })
    expect(link.getAttribute('href')).toBe('/analytics?seller=7&product=100')
    expect(screen.getByText('2 min 44 sec')).toBeTruthy()
    expect(screen.getByRole('button', { name: 'Retry failed only' })).toBeTruthy()
  })

  it('retry what has failed alone, which is another job', async () => {
    const asked = server({
      'GET /api/analytics/jobs/a1': () => json({ ...job, state: 'partial' }),
      'POST /api/analytics/jobs/a1/retry': () => json({ ...job, id: 'e2' }, 202),
      'GET /api/analytics/jobs/e2': () => json({ ...job, id: 'e2', state: 'queued' }),
    })
    open('/jobs?job=a1')
    await userEvent.click(await screen.findByRole('button', { name: 'Retry failed only' }))
    await screen.findByText('It will start in a moment')
    const post = asked.find((a) => a.method === 'POST' && a.path.endsWith('/retry'))
    expect(JSON.parse(post?.body ?? '')).toEqual({ failedOnly: true })
  })

  it('ask before a run is cancelled, and offer what is left of it', async () => {
    let state = 'waiting'
    const progress = { done: 200, total: 438, percentage: 46 }
    const asked = server({
      'GET /api/analytics/jobs/a1': () => json({ ...job, state, progress }),
      'POST /api/analytics/jobs/a1/cancel': () => {
        state = 'cancelled'
        return json({ ...job, state, progress })
      },
      'POST /api/analytics/jobs/a1/retry': () => json({ ...job, id: 'e2' }, 202),
      'GET /api/analytics/jobs/e2': () => json({ ...job, id: 'e2', state: 'queued' }),
    })
    open('/jobs?job=a1')
    const cancel = await screen.findByRole('button', { name: 'Cancel' })
    await userEvent.click(cancel)
    const question = await screen.findByRole('dialog', { name: 'Cancel the run?' })
    await waitFor(() => expect(document.activeElement?.textContent).toBe('Let it go on'))
    await userEvent.keyboard('{Enter}')
    await waitFor(() => expect(question.isConnected).toBe(false))
    await waitFor(() => expect(document.activeElement).toBe(cancel))
    expect(asked.filter(({ method }) => method === 'POST')).toEqual([])
    await userEvent.click(cancel)
    await userEvent.click(await screen.findByRole('button', { name: 'Cancel the run' }))
    const rest = await screen.findByRole('button', { name: 'Run what is left' })
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    await waitFor(() => expect(document.activeElement).toBe(rest))
    await userEvent.keyboard('{Enter}')
    await screen.findByText('It will start in a moment')
    const post = asked.find((a) => a.method === 'POST' && a.path.endsWith('/retry'))
    expect(JSON.parse(post?.body ?? '')).toEqual({ failedOnly: true })
  })

  it('say why a run has less, and nothing of what nobody knows', async () => {
    const errors = [{ item: 'job', code: 'partner_error', detail: 'x' }]
    const progress = { done: 0, total: null, percentage: null }
    server({
      'GET /api/analytics/sellers': () =>
        json({ sellers: [{ ...seller, products: 0, allProducts: true }] }),
      'GET /api/analytics/jobs': () => json({ jobs: [{ ...job, progress }] }),
      'GET /api/analytics/jobs/a1': () => json({ ...job, state: 'failed', progress, errors }),
    })
    open('/jobs')
    const row = (await screen.findByRole('link', { name: /Job of shop/ })).closest('tr')!
    expect(row.querySelector('[data-label="Progress"]')?.textContent).toBe('—no data')
    await userEvent.click(screen.getByRole('link', { name: /Job of shop/ }))
    await screen.findByText('The run failed. The API answered with an error')
    await screen.findByText('The whole run')
    expect(screen.queryByText(/\b0 of 0\b/)).toBeNull()
    expect(screen.getByRole('progressbar').getAttribute('aria-valuenow')).toBeNull()
    await userEvent.click(screen.getByRole('link', { name: 'Analytics' }))
    await screen.findByText('All that the API lists')
    expect(screen.queryByText('0 products')).toBeNull()
  })

  it('say that the list of a run would not hold still, as what is of all of it', async () => {
    const errors = [
      { item: '100', code: 'no_data', detail: 'x' },
      { item: 'products', code: 'list_moving', detail: 'x' },
    ]
    server({ 'GET /api/analytics/jobs/a1': () => json({ ...job, state: 'partial', errors }) })
    open('/jobs?job=a1')
    await screen.findByText(/^Refreshed in part\. The API’s list kept moving while it was read/)
    const row = screen.getAllByRole('row').find((one) => /list kept moving/.test(one.textContent!))
    expect(row!.querySelector('td')!.textContent).toBe('Products')
  })

  it('say that a file was cut off, in the reader’s language', async () => {
    await setLanguage('uk')
    server({
      'GET /api/analytics/products': ({ headers }) =>
        headers['Accept'] === 'text/csv'
          ? new Response('nmId\n100\n20', { headers: { 'X-Total-Count': '2' } })
          : json({ products: [product], total_count: 2, totals, next_cursor: null }),
    })
    open('/analytics')
    const button = await screen.findByRole('button', { name: 'Експорт CSV' })
    button.focus()
    await userEvent.keyboard('{Enter}')
    await screen.findByText(/^Файл обірвався в дорозі й неповний/)
    expect(document.activeElement).toBe(button)
  })

  it('say something of an answer that is a proxy’s own', async () => {
    server({
      'GET /api/analytics/sellers': () =>
        new Response('<html>403 Forbidden</html>', { status: 403, statusText: '' }),
    })
    open('/analytics')
    await screen.findByText(/^It could not be read: The answer cannot be read; it is perhaps/)
  })

  it('tell when a job was asked for that has not begun, or never did', async () => {
    const late = { ...job, created_at: '2025-03-04T10:00:00Z', started_at: null }
    server({
      'GET /api/analytics/jobs': () =>
        json({
          jobs: [
            { ...late, state: 'queued' },
            { ...late, id: 'b2', state: 'cancelled', finished_at: '2025-03-04T10:00:01Z' },
          ],
        }),
    })
    open('/jobs')
    const links = await screen.findAllByRole('link', { name: /Job of shop/ })
    const rows = links.map((link) => link.closest('tr')!)
    for (const row of rows) expect(row.textContent).toMatch(/^asked for Mar 4, 2025/)
    const took = rows.map((row) => row.querySelector('[data-label="Run time"]')?.textContent)
    expect(took).toEqual(['not yet', '—no data'])
  })
})
