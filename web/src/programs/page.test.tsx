import { Notifications } from '@mantine/notifications'
import { act, fireEvent, screen, waitFor, within } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { useLocation, useNavigate } from 'react-router-dom'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'

import type { Filters, Job, LiveProgram, Program } from '../api/types'
import { setLanguage, startI18n } from '../i18n'
import { Session } from '../session/session'
import { SyncProvider } from '../sync/context'
import { draw } from '../test/draw'
import { json, Line, problem, serve, type Asked } from '../test/server'
import ProgramsPage from './ProgramsPage'

beforeAll(async () => {
  await startI18n()
  await setLanguage('en')
})
beforeEach(() => localStorage.clear())
afterEach(() => {
  vi.unstubAllGlobals()
})

function program(n: number, part: Partial<Program> = {}): Program {
  return {
    program_id: `p${n}`,
    program_type: 'CPC',
    status: 'CURRENT',
    program_status: 'ACTIVE',
    program_pause_status: 'NOT_PAUSED',
    custom_name: null,
    yelp_business_id: 'b1',
    partner_business_id: null,
    business_name: `Café ${n}`,
    businesses: [],
    start_date: '2025-03-01',
    end_date: '9999-12-31',
    currency: 'USD',
    budget: 31999,
    is_autobid: true,
    max_bid: null,
    billed_impressions: 4120,
    billed_clicks: 37,
    ad_cost: 20450,
    fee_period: 'Calendar Month',
    page_upgrade_monthly_rate: null,
    page_upgrade_cost: null,
    future_budget_changes: [],
    active_features: ['AD_GOAL'],
    available_features: [],
    ad_categories: null,
    ad_campaign_id: null,
    created_at: '2026-11-20T10:00:00.000Z',
    updated_at: '2026-11-20T10:00:00.000Z',
    ...part,
  }
}

const done = {
  id: 'j',
  kind: 'programs.sync',
  state: 'done',
  created_at: new Date().toISOString(),
  started_at: new Date().toISOString(),
  finished_at: new Date().toISOString(),
  progress: { done: 3, total: 3, percentage: 100 },
  counts: { added: 0, updated: 0, removed: 0, unchanged: 3, failed: 0 },
  eta_at: null,
  waiting_until: null,
  waiting_reason: null,
  errors: [],
  timing_ms: { partner: 0, database: 0, names: 0, total: 0 },
} satisfies Job

const filters: Filters = {
  businesses: [
    { business_id: 'b1', name: 'Café Roofing', count: 2 },
    { business_id: 'b2', name: null, count: 1 },
  ],
  statuses: [
    { value: 'CURRENT', count: 2 },
    { value: 'PAST', count: 1 },
  ],
  types: [{ value: 'CPC', count: 3 }],
  pause: [{ value: 'NOT_PAUSED', count: 3 }],
  from_db: true,
}

interface World {
  rows: Program[]
  next?: string | null
  total?: number
  live?: LiveProgram[]
  routes?: Parameters<typeof serve>[0]
  at?: string
}

const query = ({ path }: Asked) => new URLSearchParams(path.split('?')[1])
const isList = (asked: Asked) => query(asked).get('source') === 'registry'

async function page({ rows, next = null, total, live, routes, at = '/programs' }: World) {
  const all = serve({
    'GET /api/jobs': () => json({ jobs: [done] }),
    'POST /api/reseller/programs/sync-stream': (_, signal) => new Line().open(signal),
    'GET /api/reseller/available-filters': () => json(filters),
    'GET /api/reseller/programs': (asked) =>
      isList(asked)
        ? json({ programs: rows, total_count: total ?? rows.length, next_cursor: next })
        : json({ programs: live ?? [], stale_count: 0 }),
    ...routes,
  })
  const session = new Session(null, async () => {})
  await session.signIn('a', 'pw', false)
  let search = ''
  let back = () => {}
  let home = () => {}
  const Spy = () => {
    const navigate = useNavigate()
    search = useLocation().search
    home = () => void navigate('/programs', { state: { anew: true } })
    back = () => void navigate(-1)
    return null
  }
  draw(
    <SyncProvider>
      <Notifications />
      <Spy />
      <ProgramsPage />
    </SyncProvider>,
    session,
    at,
  )
  return {
    user: userEvent.setup(),
    search: () => new URLSearchParams(search),
    back: () => act(async () => back()),
    home: () => act(async () => home()),
    lists: () =>
      all.filter((a) => a.path.startsWith('/api/reseller/programs?') && isList(a)).map(query),
    all,
  }
}

const valueOf = (field: HTMLElement) => (field as HTMLInputElement).value

const row = (name: RegExp) => screen.findByRole('row', { name })

describe('the table', () => {
  it('shows money, days and words as a person reads them', async () => {
    await page({ rows: [program(1, { custom_name: '<b>Spring</b>' })] })
    const first = await row(/Café 1/)
    const text = within(first)
      .getAllByRole('cell')
      .map((cell) => cell.textContent)
    expect(within(first).getByRole('rowheader').textContent).toContain('<b>Spring</b>')
    expect(text).toEqual([
      'Café 1', 'Ads (CPC)', 'Current', 'Mar 1, 2025', 'No end', '$319.99', '—', 'On',
      '4,120', '37', '$204.50', 'Ad goal', '',
    ]) // prettier-ignore
  })

  it('sorts by a column, and the other way round', async () => {
    const { user, lists, search } = await page({ rows: [program(1)] })
    await user.click(await screen.findByRole('button', { name: 'Budget' }))
    await waitFor(() => expect(lists().at(-1)?.get('sort')).toBe('budget'))
    expect(screen.getByRole('columnheader', { name: 'Budget' }).getAttribute('aria-sort')).toBe(
      'ascending',
    )
    await user.click(screen.getByRole('button', { name: 'Budget' }))
    await waitFor(() => expect(lists().at(-1)?.get('sort')).toBe('-budget'))
    expect(search().get('sort')).toBe('-budget')
  })

  it('goes on by the cursor and back to where it came from', async () => {
    const { user, lists, search } = await page({ rows: [program(1)], next: 'CUR', total: 105 })
    await screen.findByText('1–1 of 105')
    await user.click(screen.getByRole('button', { name: 'Next page' }))
    await waitFor(() => expect(lists().at(-1)?.get('cursor')).toBe('CUR'))
    expect(search().get('page')).toBe('2')
    await user.click(screen.getByRole('button', { name: 'Previous page' }))
    expect(search().toString()).toBe('')
    await user.click(screen.getByRole('button', { name: 'Last page' }))
    await waitFor(() => expect(lists().at(-1)?.get('offset')).toBe('100'))
  })

  it('counts where a link has a cursor that is refused', async () => {
    const { lists } = await page({
      rows: [],
      at: '/programs?page=3&after=OLD',
      routes: {
        'GET /api/reseller/programs': (asked) =>
          query(asked).has('cursor')
            ? json({ status: 400, code: 'bad_field', field: 'cursor', detail: 'no' }, 400)
            : json({ programs: [program(1)], total_count: 41, next_cursor: null }),
      },
    })
    await row(/Café 1/)
    expect(lists().at(-1)?.get('offset')).toBe('40')
  })

  it('goes to the last page there is when its own is gone', async () => {
    const { search } = await page({ rows: [], total: 30, at: '/programs?page=9' })
    await waitFor(() => expect(search().get('page')).toBe('2'))
  })

  it('says why it has no rows, and tries again', async () => {
    let broken = true
    const { user } = await page({
      rows: [],
      routes: {
        'GET /api/reseller/programs': () =>
          broken
            ? problem(500, 'internal')
            : json({ programs: [program(1)], total_count: 1, next_cursor: null }),
      },
    })
    await screen.findByText('The programs could not be read')
    broken = false
    await user.click(screen.getByRole('button', { name: 'Try again' }))
    await row(/Café 1/)
  })

  it('has the columns that were chosen, in the address and when it is opened anew', async () => {
    const { user, search } = await page({ rows: [program(1)] })
    await user.click(await screen.findByRole('button', { name: 'Columns' }))
    await user.click(await screen.findByRole('checkbox', { name: 'Budget' }))
    expect(search().get('columns')).not.toContain('budget')
    expect(screen.queryByRole('columnheader', { name: 'Budget' })).toBeNull()
    expect(localStorage.getItem('lockstep.columns')).not.toContain('budget')
    expect(screen.getByRole('checkbox', { name: 'Custom name' }).hasAttribute('disabled')).toBe(
      true,
    )
  })

  it('opens with the columns chosen last, but a link has its own', async () => {
    localStorage.setItem('lockstep.columns', 'status nonsense')
    const { search } = await page({ rows: [program(1)] })
    await waitFor(() => expect(search().get('columns')).toBe('custom_name.status'))
  })

  it('has them again at the beginning, to which the logo leads', async () => {
    localStorage.setItem('lockstep.columns', 'custom_name program_id')
    const { user, search, home } = await page({ rows: [program(1)], at: '/programs?q=x' })
    await row(/Café 1/)
    await home()
    await waitFor(() => expect(search().get('columns')).toBe('custom_name.program_id'))
    await user.click(screen.getByRole('button', { name: 'Columns' }))
    await user.click(await screen.findByRole('checkbox', { name: 'Budget' }))
    expect(search().get('columns')).toBe('custom_name.budget.program_id')
  })

  it('leaves the columns of a link as they are', async () => {
    localStorage.setItem('lockstep.columns', 'status')
    const { search } = await page({ rows: [program(1)], at: '/programs?status=PAST' })
    await row(/Café 1/)
    expect(search().has('columns')).toBe(false)
  })
})

describe('filters', () => {
  const chosenOf = async (name: string) => {
    const list = await screen.findByRole('listbox', { name })
    return within(list)
      .getAllByRole('option')
      .find((option) => 'comboboxActive' in option.dataset)
  }

  /** The arrow keys and Enter begin at that option, which is after the list is drawn. */
  const isAt = (option: () => HTMLElement | undefined) =>
    waitFor(() => expect('comboboxSelected' in (option()?.dataset ?? {})).toBe(true))

  it('say what they would give, and are in the address, the list and the counts', async () => {
    const { user, search, lists, all } = await page({ rows: [program(1)] })
    await row(/Café 1/)
    await user.click(screen.getByRole('combobox', { name: 'Status' }))
    const past = await screen.findByRole('option', { name: /^Past/ })
    expect(past.textContent).toContain('1 program')
    expect(screen.getByRole('option', { name: /^Paused/ }).textContent).toContain('0 programs')
    await waitFor(() => {
      expect(screen.getByRole('option', { name: /^All statuses/ }).textContent).toContain(
        '3 programs',
      )
    })
    await user.click(past)
    await waitFor(() => expect(lists().at(-1)?.get('program_status')).toBe('PAST'))
    expect(search().get('status')).toBe('PAST')
    await waitFor(() => {
      const counted = all.filter((a) => a.path.includes('available-filters')).map(query)
      expect(counted.some((q) => q.get('program_status') === 'PAST')).toBe(true)
    })
    await user.click(screen.getByRole('button', { name: 'Clear all filters' }))
    expect(search().toString()).toBe('')
  })

  it('tell which one is chosen, wherever the arrow keys are', async () => {
    const { user } = await page({ rows: [program(1)], at: '/programs?status=PAST' })
    await row(/Café 1/)
    const field = screen.getByRole('combobox', { name: 'Status' })
    await user.click(field)
    const list = within(await screen.findByRole('listbox', { name: 'Status' }))
    const options = list.getAllByRole('option')
    const selected = () => {
      expect(options.every((option) => option.hasAttribute('aria-selected'))).toBe(true)
      return list.getAllByRole('option', { selected: true }).map((option) => option.textContent)
    }
    const past = [expect.stringMatching(/^Past/)]
    expect(selected()).toEqual(past)
    await isAt(() => list.getByRole('option', { name: /^Past/ }))
    const at: (string | null)[] = []
    for (const _ of options) {
      await user.keyboard('{ArrowDown}')
      expect(selected()).toEqual(past)
      at.push(field.getAttribute('aria-activedescendant'))
    }
    expect(at.sort()).toEqual(options.map(({ id }) => id).sort())
    await user.hover(list.getByRole('option', { name: /^Paused/ }))
    expect(selected()).toEqual(past)
  })

  it('take the first that fits, however fast it is typed', async () => {
    const { search } = await page({ rows: [program(1)] })
    await row(/Café 1/)
    const field = screen.getByRole('combobox', { name: 'Business' })
    act(() => field.focus())
    // All of it before the list is drawn.
    fireEvent.keyDown(field, { key: 'ArrowDown', code: 'ArrowDown' })
    fireEvent.change(field, { target: { value: 'roof' } })
    await screen.findByRole('option', { name: /Café Roofing/ })
    await act(() => new Promise((resolve) => setTimeout(resolve, 100)))
    fireEvent.keyDown(field, { key: 'Enter', code: 'Enter' })
    await waitFor(() => expect(search().get('business')).toBe('b1'))
  })

  it('find a business by its name or id, with the keyboard alone', async () => {
    const { user, search } = await page({ rows: [program(1)] })
    await row(/Café 1/)
    await user.click(screen.getByRole('combobox', { name: 'Business' }))
    await waitFor(() => expect(screen.getAllByRole('option', { name: /program/ })).toHaveLength(3))
    expect(screen.getAllByRole('option')[0]?.textContent).toContain('All businesses')
    await user.keyboard('cafe')
    await waitFor(() => expect(screen.getAllByRole('option', { name: /program/ })).toHaveLength(2))
    expect(screen.getAllByRole('option')[0]?.textContent).toContain('All businesses')
    await isAt(() => screen.getAllByRole('option')[1])
    await user.keyboard('{Enter}')
    await waitFor(() => expect(search().get('business')).toBe('b1'))
    expect(valueOf(screen.getByRole('combobox', { name: 'Business' }))).toBe('Café Roofing')
  })

  it('take a text when the typing has stopped; Back is one step', async () => {
    const { user, search, lists, back } = await page({ rows: [program(1)] })
    await row(/Café 1/)
    const field = screen.getByRole('searchbox')
    // Without a stop, however slow the machine is.
    for (const value of ['z', 'zo', 'zoë']) fireEvent.change(field, { target: { value } })
    await waitFor(() => expect(search().get('q')).toBe('zoë'))
    const asked = lists().map((q) => q.get('q'))
    expect(asked).not.toContain('z')
    expect(asked).not.toContain('zo')
    await user.type(screen.getByRole('searchbox'), ' el')
    await waitFor(() => expect(search().get('q')).toBe('zoë el'))
    await back()
    expect(search().toString()).toBe('')
    expect(valueOf(screen.getByRole('searchbox'))).toBe('')
  })

  it('name what is chosen though nothing is left of it', async () => {
    const { user } = await page({
      rows: [],
      at: '/programs?q=zzz&type=SLIDESHOW&business=b9',
      routes: {
        'GET /api/reseller/available-filters': (asked) =>
          json(
            query(asked).has('business_id')
              ? filters
              : { ...filters, businesses: [{ business_id: 'b9', name: 'Nina’s', count: 7 }] },
          ),
      },
    })
    const field = (name: string) => screen.getByRole('combobox', { name })
    await waitFor(() => expect(valueOf(field('Business'))).toBe('Nina’s'))
    expect(valueOf(field('Type'))).toBe('Slideshow')
    expect(screen.getByRole('list', { name: 'Filters in use' }).textContent).toContain('Nina’s')
    await user.click(field('Type'))
    const chosen = await chosenOf('Type')
    expect(chosen?.textContent).toContain('Slideshow')
    expect(chosen?.textContent).toContain('0 programs')
  })

  it('have the chosen one in their list, however far down it is', async () => {
    const businesses = Array.from({ length: 300 }, (_, i) => ({
      business_id: `b${i}`,
      name: `Shop ${i}`,
      count: 1,
    }))
    const { user } = await page({
      rows: [program(1)],
      at: '/programs?business=b250',
      routes: {
        'GET /api/reseller/available-filters': () => json({ ...filters, businesses }),
      },
    })
    await row(/Café 1/)
    await user.click(screen.getByRole('combobox', { name: 'Business' }))
    const chosen = await chosenOf('Business')
    expect(chosen?.textContent).toContain('Shop 250')
    expect(screen.getAllByRole('option', { name: /program/ })).toHaveLength(201)
    expect(screen.getByText('100 more; type to find them')).not.toBeNull()
  })

  it('show the business that is chosen in the rows, and name the others', async () => {
    const three = program(1, {
      businesses: [
        { yelp_business_id: 'b1' },
        { yelp_business_id: 'b2' },
        { yelp_business_id: 'b3' },
      ],
    })
    const businesses = [
      { business_id: 'b1', name: 'Café 1', count: 1 },
      { business_id: 'b2', name: 'Second', count: 1 },
    ]
    await page({
      rows: [three],
      at: '/programs?business=b2',
      routes: {
        'GET /api/reseller/available-filters': () => json({ ...filters, businesses }),
      },
    })
    const shown = await row(/Second/)
    await waitFor(() => expect(within(shown).getByText('+2').title).toBe('Café 1, b3'))
  })

  it('stay where they are while what they left is read anew', async () => {
    const rows = [program(1)]
    let answer = (_: Response) => {}
    const { user } = await page({
      rows,
      at: '/programs?q=zzz',
      routes: {
        'GET /api/reseller/programs': (asked) =>
          query(asked).get('q') === 'zzz'
            ? json({ programs: [], total_count: 0, next_cursor: null })
            : new Promise((done) => (answer = done)),
      },
    })
    await screen.findByText('No program matches these filters')
    const field = screen.getByRole('searchbox')
    await user.clear(field)
    await screen.findByRole('status', { name: 'Loading…' })
    expect(screen.queryByText('No program matches these filters')).toBeNull()
    expect(screen.queryByText('This account has no programs')).toBeNull()
    expect(screen.getByRole('searchbox')).toBe(field)
    expect(document.activeElement).toBe(field)
    await act(async () => answer(json({ programs: rows, total_count: 1, next_cursor: null })))
    await row(/Café 1/)
  })

  it('that leave nothing say so, and can be cleared there', async () => {
    const { user, search } = await page({ rows: [], at: '/programs?q=zzz' })
    await screen.findByText('No program matches these filters')
    await user.click(screen.getByRole('button', { name: 'Clear the filters' }))
    expect(search().toString()).toBe('')
  })
})

describe('a custom name', () => {
  const rename = async (user: ReturnType<typeof userEvent.setup>, text: string) => {
    await user.click(await screen.findByRole('button', { name: /^Change the custom name/ }))
    const input = screen.getByRole('textbox', { name: 'Custom name' })
    await user.clear(input)
    if (text !== '') await user.type(input, text)
    return input
  }

  it('is there at once and kept', async () => {
    let answer = (_: Response) => {}
    const rows = [program(1)]
    const { user, all } = await page({
      rows,
      routes: {
        'POST /api/reseller/program/p1/custom-name': () => new Promise((done) => (answer = done)),
      },
    })
    await rename(user, '  Spring {Enter}')
    await screen.findByText('Spring')
    expect(all.at(-1)?.body).toBe('{"custom_name":"Spring"}')
    rows[0] = program(1, { custom_name: 'Spring' })
    await act(async () => answer(json(rows[0])))
    expect(screen.getByText('Spring')).not.toBeNull()
    expect(screen.getByRole('button', { name: /^Change the custom name/ })).toBe(
      document.activeElement,
    )
  })

  it('is the last one that was given', async () => {
    const answers: ((_: Response) => void)[] = []
    const rows = [program(1)]
    const { user, all } = await page({
      rows,
      routes: {
        'POST /api/reseller/program/p1/custom-name': () =>
          new Promise((done) => void answers.push(done)),
      },
    })
    const asked = () => all.filter((a) => a.path.includes('custom-name')).map((a) => a.body)
    await rename(user, 'One{Enter}')
    await waitFor(() => expect(asked()).toHaveLength(1))
    await rename(user, 'Two{Enter}')
    await screen.findByText('Two')
    expect(asked()).toEqual(['{"custom_name":"One"}'])
    await act(async () => answers[0]!(json(program(1, { custom_name: 'One' }))))
    await waitFor(() => expect(asked()).toHaveLength(2))
    expect(screen.getByText('Two')).not.toBeNull()
    rows[0] = program(1, { custom_name: 'Two' })
    await act(async () => answers[1]!(json(rows[0])))
    expect(screen.getByText('Two')).not.toBeNull()
  })

  it('is undone with the reason when it is refused', async () => {
    const { user } = await page({
      rows: [program(1, { custom_name: 'Old' })],
      routes: {
        'POST /api/reseller/program/p1/custom-name': () =>
          problem(400, 'bad_field', 'custom_name must not hold control characters.'),
      },
    })
    await rename(user, 'New{Enter}')
    await screen.findByText('custom_name must not hold control characters.')
    expect(screen.getByText('Old')).not.toBeNull()
    expect(screen.queryByText('New')).toBeNull()
  })

  it('is left as it was by Escape, and not asked for when it is the same', async () => {
    const { user, all } = await page({ rows: [program(1, { custom_name: 'Old' })] })
    await rename(user, 'New{Escape}')
    expect(screen.getByText('Old')).not.toBeNull()
    await rename(user, 'Old{Enter}')
    expect(screen.getByText('Old')).not.toBeNull()
    expect(all.filter((a) => a.path.includes('custom-name'))).toEqual([])
  })

  it('is taken away by nothing', async () => {
    const { user, all } = await page({ rows: [program(1, { custom_name: 'Old' })] })
    await rename(user, '{Enter}')
    await waitFor(() =>
      expect(all.find((a) => a.path.includes('custom-name'))?.body).toBe('{"custom_name":null}'),
    )
  })

  it('cannot be too long', async () => {
    const { user, all } = await page({ rows: [program(1)] })
    const input = await rename(user, '')
    await user.click(input)
    await user.paste('x'.repeat(256))
    await user.keyboard('{Enter}')
    expect(await screen.findByText(/256 characters/)).not.toBeNull()
    await user.keyboard('{Backspace}{Enter}')
    await waitFor(() => expect(all.some((a) => a.path.includes('custom-name'))).toBe(true))
  })
})

describe('asking the partner for a page', () => {
  it('says of the page that was asked for how it stands', async () => {
    let answer = (_: Response) => {}
    const { user } = await page({
      rows: [],
      routes: {
        'GET /api/reseller/programs': (asked) => {
          if (!isList(asked)) return new Promise((done) => (answer = done))
          const n = query(asked).has('cursor') ? 2 : 1
          return json({ programs: [program(n)], total_count: 40, next_cursor: 'c' })
        },
      },
    })
    await row(/Café 1/)
    await user.click(screen.getByRole('button', { name: 'Check with the partner' }))
    await user.click(screen.getByRole('button', { name: 'Next page' }))
    await row(/Café 2/)
    await act(async () => answer(json({ programs: [], stale_count: 1 })))
    await screen.findByText('1 program of this page is not as the partner has it; it is marked')
  })
})

describe('details', () => {
  it('leave no step behind them when they are closed', async () => {
    const { user, search, back } = await page({ rows: [program(1)] })
    await row(/Café 1/)
    await user.type(screen.getByRole('searchbox'), 'caf{Enter}')
    await waitFor(() => expect(search().get('q')).toBe('caf'))
    await user.click(await screen.findByRole('button', { name: 'Details of Café 1' }))
    await screen.findByRole('dialog')
    await user.keyboard('{Escape}')
    await waitFor(() => expect(search().has('program')).toBe(false))
    await waitFor(() =>
      expect(document.activeElement?.getAttribute('aria-label')).toBe('Details of Café 1'),
    )
    expect(search().get('q')).toBe('caf')
    await back()
    expect(search().has('q')).toBe(false)
  })

  it('show what the partner says now beside what the registry has', async () => {
    const live: LiveProgram = {
      program_id: 'p1',
      program_type: 'CPC',
      program_status: 'ACTIVE',
      program_pause_status: 'NOT_PAUSED',
      start_date: '2025-03-01',
      end_date: '9999-12-31',
      program_metrics: {
        budget: 50000,
        currency: 'USD',
        is_autobid: true,
        billed_impressions: 4120,
        billed_clicks: 37,
        ad_cost: 20450,
        fee_period: 'Calendar Month',
      },
      active_features: ['AD_GOAL'],
    }
    const { user, search, all } = await page({ rows: [program(1)], live: [live] })
    await user.click(await screen.findByRole('button', { name: 'Details of Café 1' }))
    expect(search().get('program')).toBe('p1')
    const dialog = within(await screen.findByRole('dialog'))
    await dialog.findByText('$500.00')
    expect(dialog.getByText(/In the registry:/).textContent).toContain('$319.99')
    expect(all.map((a) => a.path)).toContain('/api/reseller/programs?program_id=p1')
    await user.keyboard('{Escape}')
    await waitFor(() => expect(search().has('program')).toBe(false))
    expect((await row(/Café 1/)).textContent).toContain('Changed')
  })

  it('tell that the partner knows it no more, and so does the row', async () => {
    const { user } = await page({ rows: [program(1), program(2)], live: [] })
    await user.click(await screen.findByRole('button', { name: 'Details of Café 2' }))
    await screen.findByText(/The partner no longer knows this program/)
    await user.keyboard('{Escape}')
    expect((await row(/Café 2/)).textContent).toContain('Gone')
  })

  it('stay open when the editing of the name in them is given up', async () => {
    const { user } = await page({ rows: [program(1)], live: [], at: '/programs?program=p1' })
    const dialog = within(await screen.findByRole('dialog'))
    await user.click(await dialog.findByRole('button', { name: /^Change the custom name/ }))
    await user.type(dialog.getByRole('textbox', { name: 'Custom name' }), 'x{Escape}')
    await waitFor(() => expect(dialog.queryByRole('textbox')).toBeNull())
    expect(screen.queryByRole('dialog')).not.toBeNull()
    await user.keyboard('{Escape}')
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull())
  })

  it('of a link to a program that is not on the page are looked for', async () => {
    const { lists } = await page({
      rows: [],
      at: '/programs?program=p7',
      live: [],
      routes: {
        'GET /api/reseller/programs': (asked) => {
          const q = query(asked).get('q')
          if (!isList(asked)) return json({ programs: [], stale_count: 1 })
          const programs = q === 'p7' ? [program(70), program(7)] : [program(1)]
          return json({ programs, total_count: programs.length, next_cursor: null })
        },
      },
    })
    expect(await screen.findByRole('dialog')).not.toBeNull()
    await within(screen.getByRole('dialog')).findByText('Café 7')
    expect(lists().some((q) => q.get('q') === 'p7')).toBe(true)
  })
})
