import { notifications, Notifications } from '@mantine/notifications'
import { screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { Route, Routes, useLocation } from 'react-router-dom'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import { setLanguage, startI18n } from '../i18n'
import { draw } from '../test/draw'
import { json, problem, serve } from '../test/server'
import { AnalyticsPage, frame } from './index'

let Frame: Awaited<ReturnType<typeof frame>>
beforeAll(async () => {
  await startI18n()
  Frame = await frame()
})
beforeEach(() => setLanguage('en'))
afterEach(() => {
  notifications.clean()
  vi.unstubAllGlobals()
})

const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.e30.c2VjcmV0'
const seller = {
  id: 7,
  name: 'shop',
  tokenKind: 'personal',
  tokenState: 'active',
  tokenExpiresAt: null as string | null,
  tokenExpiresSoon: false,
  timeZone: 'Europe/Moscow',
  allProducts: false,
  jam: null,
  products: 0,
  failedProducts: 0,
  lastSyncAt: null,
  oldestSyncAt: null,
  trouble: null,
  taskId: null,
  nextRunAt: null,
}
const none = { products: [], total_count: 0, totals: { products: 0 }, next_cursor: null }

type Server = Parameters<typeof serve>[0]

function server(sellers: unknown[], more: Server = {}) {
  return serve({
    'GET /api/analytics/sellers': () => json({ sellers }),
    'GET /api/analytics/products': () => json(none),
    'POST /api/analytics/sync-background': () => json({ taskId: null, fresh: true }),
    ...more,
  })
}

function Address() {
  const { pathname, search } = useLocation()
  return <output aria-label="address">{pathname + search}</output>
}
const address = () => screen.getByLabelText('address').textContent

function open(at: string) {
  draw(
    <>
      <Notifications />
      <Address />
      <Routes>
        <Route element={<Frame />}>
          <Route path="/analytics" element={<AnalyticsPage />} />
        </Route>
      </Routes>
    </>,
    undefined,
    at,
  )
}

const refused = (field: string, code: string, detail = 'x') =>
  json({ status: 422, code, detail, field, instance: 'r1' }, 422)
const bodies = (asked: ReturnType<typeof serve>, path: string) =>
  asked.filter((a) => a.method === 'POST' && a.path === path).map((a) => JSON.parse(a.body ?? ''))

async function fill(name: string, token: string) {
  await userEvent.type(await screen.findByLabelText('Name'), name)
  await userEvent.click(screen.getByLabelText('API token'))
  await userEvent.paste(token)
}

describe('a new seller', () => {
  it('is added from the empty page, with all of its products', async () => {
    const sellers: unknown[] = []
    const asked = server(sellers, {
      'POST /api/analytics/sellers': () => {
        sellers.push(seller)
        return json(seller, 201)
      },
      'POST /api/analytics/sellers/7/products': () =>
        json({ added: 0, known: 0, rejectedCount: 0, rejected: [], total: 0 }),
    })
    open('/analytics')
    await userEvent.click(await screen.findByRole('link', { name: 'Add a seller' }))
    await fill(' shop ', ` ${TOKEN} `)
    const token = screen.getByLabelText('API token')
    expect(token.getAttribute('type')).toBe('password')
    expect(token.getAttribute('autocomplete')).toBe('new-password')
    expect(token.hasAttribute('data-1p-ignore')).toBe(true)
    expect(token.getAttribute('data-lpignore')).toBe('true')
    await userEvent.keyboard('{Enter}')
    await screen.findByText('shop is added')
    await waitFor(() => expect(address()).toBe('/analytics?seller=7'))
    expect(screen.queryByRole('dialog')).toBeNull()
    expect(bodies(asked, '/api/analytics/sellers')).toEqual([
      { name: 'shop', token: TOKEN, timeZone: 'Europe/Moscow' },
    ])
    expect(bodies(asked, '/api/analytics/sellers/7/products')).toEqual([{ all: true }])
    // Not in an address, nor in what the browser keeps, nor anywhere on the page.
    expect(asked.map((a) => a.path).join()).not.toContain(TOKEN)
    expect(JSON.stringify([{ ...localStorage }, { ...sessionStorage }])).not.toContain(TOKEN)
    expect(document.documentElement.outerHTML).not.toContain(TOKEN)
    for (const input of document.querySelectorAll('input')) expect(input.value).not.toBe(TOKEN)
  })

  it('is not added, nor gone to, when it is taken back while its token is tried', async () => {
    let given: AbortSignal | null = null
    let answer = (_: Response) => {}
    const asked = server([seller], {
      'POST /api/analytics/sellers': (_, signal) => {
        given = signal
        return new Promise((resolve, reject) => {
          answer = resolve
          signal?.addEventListener('abort', () => reject(new DOMException('x', 'AbortError')))
        })
      },
    })
    open('/analytics?seller=7&manage=new')
    await fill('other', TOKEN)
    await userEvent.keyboard('{Enter}')
    await screen.findByRole('button', { name: 'Trying the token…' })
    await userEvent.keyboard('{Escape}')
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    expect(given!).toHaveProperty('aborted', true)
    answer(json({ ...seller, id: 8, name: 'other' }, 201))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(address()).toBe('/analytics?seller=7')
    expect(screen.queryByText('other is added')).toBeNull()
    expect(asked.filter((a) => a.path.endsWith('/products') && a.method === 'POST')).toEqual([])
  })

  it('has all that was ticked, but takes nobody back who has gone elsewhere meanwhile', async () => {
    let answer = (_: Response) => {}
    const other = { ...seller, id: 8, name: 'other' }
    const asked = server([seller], {
      'POST /api/analytics/sellers': () => json(other, 201),
      'POST /api/analytics/sellers/8/products': () => new Promise((resolve) => (answer = resolve)),
    })
    open('/analytics?seller=7&manage=new')
    await fill('other', TOKEN)
    await userEvent.keyboard('{Enter}')
    await screen.findByText('other is added')
    await userEvent.keyboard('{Escape}')
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
    answer(json({ added: 0, known: 0, rejectedCount: 0, rejected: [], total: 0 }))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(address()).toBe('/analytics?seller=7')
    expect(bodies(asked, '/api/analytics/sellers/8/products')).toEqual([{ all: true }])
  })

  it('keeps the keyboard where it is while the token is tried, and says so', async () => {
    let answer = (_: Response) => {}
    const asked = server([], {
      'POST /api/analytics/sellers': () => new Promise((resolve) => (answer = resolve)),
    })
    open('/analytics?manage=new')
    await fill('shop', TOKEN)
    const button = screen.getByRole('button', { name: 'Add a seller' })
    button.focus()
    await userEvent.keyboard('{Enter}')
    expect(await screen.findByRole('button', { name: 'Trying the token…' })).toBe(button)
    expect(button.hasAttribute('disabled')).toBe(false)
    expect(document.activeElement).toBe(button)
    await userEvent.keyboard('{Enter}')
    answer(refused('token', 'token_refused'))
    await screen.findByRole('alert')
    expect(bodies(asked, '/api/analytics/sellers')).toHaveLength(1)
  })

  it('or without any, and then they are asked for', async () => {
    const asked = server([], { 'POST /api/analytics/sellers': () => json(seller, 201) })
    open('/analytics?manage=new')
    await fill('shop', TOKEN)
    await userEvent.click(screen.getByLabelText('All products that the API lists'))
    await userEvent.click(screen.getByRole('button', { name: 'Add a seller' }))
    await waitFor(() => expect(address()).toBe('/analytics?seller=7&manage=products'))
    expect(bodies(asked, '/api/analytics/sellers/7/products')).toEqual([])
  })

  it('is not sent without a name and a token', async () => {
    const asked = server([])
    open('/analytics?manage=new')
    const name = await screen.findByLabelText('Name')
    await userEvent.click(screen.getByRole('button', { name: 'Add a seller' }))
    expect((await screen.findByRole('alert')).textContent).toBe('Give the seller a name')
    expect(document.activeElement).toBe(name)
    await userEvent.keyboard('shop{Enter}')
    await screen.findByText('Paste the token')
    expect(document.activeElement).toBe(screen.getByLabelText('API token'))
    expect(asked.filter((a) => a.method === 'POST')).toEqual([])
  })

  it.each([
    ['name', 'unfit_field', 'You have a seller of that name already', 'Name'],
    ['token', 'token_expired', /^The token has expired; make/, 'API token'],
    ['token', 'token_refused', /^The API does not accept the token$/, 'API token'],
    ['token', 'token_just_refused', /^The API has refused this token a moment ago/, 'API token'],
    ['token', 'token_wrong_category', /^The token is not for analytics/, 'API token'],
    ['token', 'token_no_access', /^The API lets this token read no analytics/, 'API token'],
    ['token', 'token_new', 'Something new.', 'API token'],
    ['timeZone', 'unfit_field', 'The server knows no such time zone', 'Time zone'],
  ])('has what is wrong with %s beside it: %s', async (field, code, text, label) => {
    server([], { 'POST /api/analytics/sellers': () => refused(field, code, 'Something new.') })
    open('/analytics?manage=new')
    await fill('shop', TOKEN)
    await userEvent.keyboard('{Enter}')
    const alert = await screen.findByRole('alert')
    expect(alert.textContent).toMatch(text)
    const input = screen.getByLabelText(label)
    expect(input.getAttribute('aria-describedby')).toContain(alert.id)
    await waitFor(() => expect(document.activeElement).toBe(input))
    const token = screen.getByLabelText<HTMLInputElement>('API token')
    expect(token.value).toBe(field === 'token' ? '' : TOKEN)
  })

  it('says when the token can be tried again', async () => {
    server([], {
      'POST /api/analytics/sellers': () =>
        new Response(JSON.stringify({ status: 503, code: 'partner_limited', detail: 'x' }), {
          status: 503,
          headers: { 'Retry-After': '20' },
        }),
    })
    open('/analytics?manage=new')
    await fill('shop', TOKEN)
    await userEvent.keyboard('{Enter}')
    const text = 'The API’s limit leaves no call at the moment. Try again in 20 sec'
    expect((await screen.findByRole('alert')).textContent).toBe(text)
  })
})

describe('what is open', () => {
  it('stays with its seller when another one comes to be the first', async () => {
    const sellers = [seller]
    server(sellers, {
      'POST /api/analytics/sellers/7/products': () => {
        sellers.unshift({ ...seller, id: 6, name: 'another' })
        return json({ added: 1, known: 0, rejectedCount: 0, rejected: [], total: 1 })
      },
    })
    open('/analytics')
    await userEvent.click(await screen.findByRole('button', { name: 'Token and products' }))
    await waitFor(() => expect(address()).toBe('/analytics?seller=7&manage=seller'))
    // After which the sellers are read anew.
    await userEvent.type(await screen.findByLabelText('Ids of products'), '100')
    await userEvent.click(screen.getByRole('button', { name: 'Add these' }))
    await screen.findByRole('link', { name: /^another/, hidden: true })
    const drawer = screen.getByRole('dialog', { name: 'Token and products' })
    within(drawer).getByRole('heading', { name: 'shop' })
    within(drawer).getByText('1 product added')
  })

  it('a new seller does not lose the view that it lies over', async () => {
    server([seller], { 'GET /api/analytics/products': () => json({ ...none, total_count: 1 }) })
    open('/analytics?seller=7&q=lamp&sort=views')
    await userEvent.click(await screen.findByRole('button', { name: 'Add a seller' }))
    await waitFor(() => expect(address()).toBe('/analytics?seller=7&q=lamp&sort=views&manage=new'))
    await userEvent.click(await screen.findByRole('button', { name: 'Cancel' }))
    await waitFor(() => expect(address()).toBe('/analytics?seller=7&q=lamp&sort=views'))
  })
})

describe('a token', () => {
  it('is not tried when too many were, which is not called a wrong login', async () => {
    server([seller], {
      'POST /api/analytics/sellers/7/token': () =>
        new Response(JSON.stringify({ status: 429, code: 'too_many_refusals', detail: 'x' }), {
          status: 429,
          headers: { 'Retry-After': '60' },
        }),
    })
    open('/analytics?manage=token')
    await userEvent.type(await screen.findByLabelText('Another token'), `${TOKEN}{Enter}`)
    expect((await screen.findByRole('alert')).textContent).toBe(
      'Too many tokens that the API does not accept were tried. Try again in 1 min',
    )
  })

  it('that expires soon is warned about, and replaced', async () => {
    const soon = { ...seller, tokenExpiresAt: '2026-12-01T10:00:00Z', tokenExpiresSoon: true }
    const sellers: (typeof seller)[] = [soon]
    const asked = server(sellers, {
      'POST /api/analytics/sellers/7/token': () => {
        sellers[0] = seller
        return json(seller)
      },
    })
    open('/analytics')
    const note = await screen.findByRole('note')
    expect(note.textContent).toMatch(/The token expires: Dec 1/)
    const replace = within(note).getByRole('button', { name: 'Replace the token' })
    await userEvent.click(replace)
    const field = await screen.findByLabelText('Another token')
    await waitFor(() => expect(document.activeElement).toBe(field))
    await userEvent.paste(TOKEN)
    await userEvent.keyboard('{Enter}')
    await screen.findByText('shop has another token')
    expect((field as HTMLInputElement).value).toBe('')
    expect(bodies(asked, '/api/analytics/sellers/7/token')).toEqual([{ token: TOKEN }])
    await screen.findByText('The API takes it')
    expect(screen.queryByRole('note')).toBeNull()
  })

  it('is shown on demand, by the keyboard too, and not the next one with it', async () => {
    server([seller], { 'POST /api/analytics/sellers/7/token': () => json(seller) })
    open('/analytics?manage=token')
    const field = await screen.findByLabelText<HTMLInputElement>('Another token')
    const eye = screen.getByRole('button', { name: 'Show the token' })
    eye.focus()
    await userEvent.keyboard('{Enter}')
    expect(field.type).toBe('text')
    expect(screen.getByRole('button', { name: 'Hide the token' })).toBe(eye)
    await userEvent.keyboard('[Space]')
    expect(field.type).toBe('password')
    await userEvent.click(eye)
    expect(field.type).toBe('text')
    await userEvent.type(field, `${TOKEN}{Enter}`)
    await screen.findByText('shop has another token')
    const next = screen.getByLabelText<HTMLInputElement>('Another token')
    expect([next.type, next.value]).toEqual(['password', ''])
    await waitFor(() => expect(document.activeElement).toBe(next))
  })

  it('of another seller is refused at the field', async () => {
    server([{ ...seller, tokenState: 'refused' }], {
      'POST /api/analytics/sellers/7/token': () => refused('token', 'token_other_seller'),
    })
    open('/analytics?manage=token')
    await userEvent.type(await screen.findByLabelText('Another token'), `${TOKEN}{Enter}`)
    expect((await screen.findByRole('alert')).textContent).toMatch(/another seller’s/)
  })
})

describe('products', () => {
  it('are added by a list, and what is no id is told', async () => {
    const asked = server([seller], {
      'POST /api/analytics/sellers/7/products': () =>
        json({ added: 1, known: 1, rejectedCount: 0, rejected: [], total: 5 }),
    })
    open('/analytics')
    await userEvent.click(await screen.findByRole('button', { name: 'Add products' }))
    const list = await screen.findByLabelText('Ids of products')
    await waitFor(() => expect(document.activeElement).toBe(list))
    await userEvent.click(screen.getByRole('button', { name: 'Add these' }))
    expect((await screen.findByRole('alert')).textContent).toMatch(/^There is no product id in it/)
    await userEvent.type(list, '100 200 lamp')
    await userEvent.click(screen.getByRole('button', { name: 'Add these' }))
    await screen.findByText('1 product added, 1 was there already')
    await screen.findByText('lamp')
    expect(screen.queryByRole('alert')).toBeNull()
    expect(bodies(asked, '/api/analytics/sellers/7/products')).toEqual([{ nmIds: [100, 200] }])
    // And the page asks for a run, which the server begins if there is something to do.
    await waitFor(() =>
      expect(bodies(asked, '/api/analytics/sync-background')).toEqual([
        { sellerId: 7, ifOlderThanHours: 24 },
      ]),
    )
  })

  it('are added by a file', async () => {
    const asked = server([seller], {
      'POST /api/analytics/sellers/7/products': () =>
        json({ added: 2, known: 0, rejectedCount: 0, rejected: [], total: 2 }),
    })
    open('/analytics?manage=products')
    await screen.findByLabelText('Ids of products')
    const input = document.querySelector<HTMLInputElement>('input[type=file]')!
    await userEvent.upload(input, new File(['a;b\n'], 'empty.csv', { type: 'text/csv' }))
    expect((await screen.findByRole('alert')).textContent).toMatch(/no product id in empty\.csv/)
    const csv = 'Бренд;Артикул WB\nx;100\ny;200\nz;no\n'
    await userEvent.upload(input, new File([csv], 'list.csv', { type: 'text/csv' }))
    await screen.findByText('2 products added')
    await screen.findByText(/line 4/)
    expect(bodies(asked, '/api/analytics/sellers/7/products')).toEqual([{ nmIds: [100, 200] }])
  })

  it('that were added are told of, and refreshed, also when the rest could not be', async () => {
    let pieces = 0
    const asked = server([seller], {
      'POST /api/analytics/sellers/7/products': ({ body }) =>
        pieces++ === 0
          ? json({ added: JSON.parse(body ?? '').nmIds.length, known: 0, rejected: [], total: 0 })
          : problem(503, 'database'),
    })
    open('/analytics?manage=products')
    await screen.findByLabelText('Ids of products')
    const input = document.querySelector<HTMLInputElement>('input[type=file]')!
    const csv = `nmId\n${Array.from({ length: 3002 }, (_, i) => i + 1).join('\n')}\nx\n`
    await userEvent.upload(input, new File([csv], 'list.csv', { type: 'text/csv' }))
    expect((await screen.findByRole('alert')).textContent).toBe('The database does not answer')
    screen.getByText('3,000 products added')
    screen.getByText('2 were not sent any more')
    screen.getByText(/line 3,004/)
    await waitFor(() => expect(bodies(asked, '/api/analytics/sync-background')).toHaveLength(1))
  })

  it('are all that the API lists, or not', async () => {
    const sellers = [{ ...seller }]
    const asked = server(sellers, {
      'POST /api/analytics/sellers/7/products': ({ body }) => {
        sellers[0] = { ...seller, allProducts: JSON.parse(body ?? '').all }
        return json({ added: 0, known: 0, rejectedCount: 0, rejected: [], total: 0 })
      },
    })
    open('/analytics?manage=products')
    const all = await screen.findByLabelText<HTMLInputElement>('All products that the API lists')
    await userEvent.click(all)
    await waitFor(() => expect(all.checked).toBe(true))
    // It is ticked at once; the next click counts only after the answer.
    await waitFor(() => expect(all.getAttribute('aria-disabled')).toBe('false'))
    expect(all.checked).toBe(true)
    await userEvent.click(all)
    await waitFor(() => expect(all.checked).toBe(false))
    expect(bodies(asked, '/api/analytics/sellers/7/products')).toEqual([
      { all: true },
      { all: false },
    ])
  })
})

describe('deleting a seller', () => {
  it('asks first, by its name, and Escape takes back the question alone', async () => {
    const sellers = [seller, { ...seller, id: 8, name: 'other' }]
    const asked = server(sellers, {
      'DELETE /api/analytics/sellers/7': () => {
        sellers.shift()
        return json({})
      },
    })
    open('/analytics?manage=seller')
    const first = await screen.findByRole('button', { name: 'Delete shop' })
    await userEvent.click(first)
    const question = await screen.findByRole('dialog', { name: 'Delete shop?' })
    await waitFor(() => expect(document.activeElement?.textContent).toBe('Cancel'))
    await userEvent.keyboard('{Escape}')
    await waitFor(() => expect(question.isConnected).toBe(false))
    await waitFor(() => expect(document.activeElement).toBe(first))
    expect(asked.some((a) => a.method === 'DELETE')).toBe(false)
    await userEvent.click(first)
    const again = await screen.findByRole('dialog', { name: 'Delete shop?' })
    await userEvent.click(within(again).getByRole('button', { name: 'Delete shop' }))
    await screen.findByText('shop is deleted')
    await waitFor(() => expect(address()).toBe('/analytics'))
    const nav = screen.getByRole('navigation', { name: 'Sellers' })
    expect(within(nav).getAllByRole('link')).toHaveLength(1)
    await waitFor(() => expect(document.activeElement?.id).toBe('content'))
  })

  it('is taken back together with the question, as far as it still can be', async () => {
    let given: AbortSignal | null = null
    server([seller], {
      'DELETE /api/analytics/sellers/7': (_, signal) => {
        given = signal
        return new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(new DOMException('x', 'AbortError')))
        })
      },
    })
    open('/analytics?manage=seller')
    await userEvent.click(await screen.findByRole('button', { name: 'Delete shop' }))
    const question = await screen.findByRole('dialog', { name: 'Delete shop?' })
    await userEvent.click(within(question).getByRole('button', { name: 'Delete shop' }))
    await userEvent.keyboard('{Escape}')
    await waitFor(() => expect(question.isConnected).toBe(false))
    expect(given!).toHaveProperty('aborted', true)
    expect(address()).toContain('manage=seller')
    expect(screen.queryByText('shop is deleted')).toBeNull()
    expect(screen.queryByRole('alert')).toBeNull()
  })

  it('says so when it could not be done', async () => {
    server([seller], { 'DELETE /api/analytics/sellers/7': () => problem(503, 'database') })
    open('/analytics?manage=seller')
    await userEvent.click(await screen.findByRole('button', { name: 'Delete shop' }))
    const question = await screen.findByRole('dialog', { name: 'Delete shop?' })
    await userEvent.click(within(question).getByRole('button', { name: 'Delete shop' }))
    expect((await within(question).findByRole('alert')).textContent).toBe(
      'The database does not answer',
    )
  })
})
