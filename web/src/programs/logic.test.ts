import { QueryClient } from '@tanstack/react-query'
import { describe, expect, it } from 'vitest'

import { keys } from '../api/queries'
import type { BusinessChoice, PartnerProgram, Program, ProgramList } from '../api/types'
import { differing, readLive, valuesOf } from './live'
import { pageCount, rangeOf, Trail } from './pages'
import { cleanName, nameLength, setName, undoName } from './rename'
import { findBusinesses } from './search'
import { listKey, USUAL_VIEW } from './view'

describe('the search for a business', () => {
  const all: BusinessChoice[] = [
    { business_id: 'b1zAAA-007', name: "O'Neill & Sons Café", count: 3 },
    { business_id: 'qqZ', name: null, count: 2 },
    { business_id: 'x', name: 'Кав’ярня Ранок', count: 1 },
  ]
  const ids = (text: string) => findBusinesses(all, text).map((b) => b.business_id)

  it('finds parts of names and ids, in any case and without accents', () => {
    expect(ids('cafe')).toEqual(['b1zAAA-007'])
    expect(ids('sons neill')).toEqual(['b1zAAA-007'])
    expect(ids('aaa-0')).toEqual(['b1zAAA-007'])
    expect(ids('QQ')).toEqual(['qqZ'])
    expect(ids('ранок')).toEqual(['x'])
    expect(ids('zzz')).toEqual([])
  })

  it('has all for nothing', () => {
    expect(ids('  ')).toHaveLength(3)
  })
})

describe('a custom name', () => {
  const row = (id: string, name: string | null) =>
    ({ program_id: id, custom_name: name }) as Program
  const list = (...programs: Program[]) =>
    ({ programs, total_count: programs.length }) as ProgramList
  const a = [...keys.programs, 'list', 'a']
  const b = [...keys.programs, 'list', 'b']

  function kept() {
    const client = new QueryClient()
    client.setQueryData(a, list(row('1', 'old'), row('2', 'two')))
    client.setQueryData(b, list(row('1', 'old')))
    const names = (key: string[]) =>
      client.getQueryData<ProgramList>(key)?.programs.map((p) => p.custom_name)
    return { client, names }
  }

  it('is in every list at once', () => {
    const { client, names } = kept()
    setName(client, '1', 'new')
    expect(names(a)).toEqual(['new', 'two'])
    expect(names(b)).toEqual(['new'])
  })

  it('is undone when it is refused', () => {
    const { client, names } = kept()
    setName(client, '1', 'new')
    undoName(client, '1', 'new', 'old')
    expect(names(a)).toEqual(['old', 'two'])
  })

  it('is not undone over what was said since', () => {
    const { client, names } = kept()
    setName(client, '1', 'new')
    setName(client, '1', 'newer')
    undoName(client, '1', 'new', 'old')
    expect(names(a)).toEqual(['newer', 'two'])
  })

  it('leaves lists as they are that do not have the program', () => {
    const { client } = kept()
    const before = client.getQueryData(b)
    setName(client, '2', 'x')
    expect(client.getQueryData(b)).toBe(before)
  })

  it('is counted and cleaned as the API does it', () => {
    expect(cleanName('  a b ')).toBe('a b')
    expect(cleanName('   ')).toBeNull()
    expect(nameLength(' 🦊🦊 ')).toBe(2)
  })
})

describe('live details', () => {
  const live: PartnerProgram = {
    program_id: '1',
    program_type: 'CPC',
    program_metrics: { budget: 100, currency: 'EUR', is_autobid: true, max_bid: null },
    page_upgrade_info: { monthly_rate: 30, cost: 8.29 },
    active_features: ['B', 'A'],
  }

  it('tell known, failed and gone programs apart', () => {
    const error = { code: 'partner_timeout', detail: 'too slow' }
    const read = readLive(['1', '2', '3'], [{ program_id: '2', error }, live])
    expect(read.get('1')).toMatchObject({ is: 'known', values: { program_type: 'CPC' } })
    expect(read.get('2')).toEqual({ is: 'failed', ...error })
    expect(read.get('3')).toEqual({ is: 'gone' })
  })

  it('have the shape of a row, in cents', () => {
    expect(valuesOf(live)).toMatchObject({
      budget: 100,
      currency: 'EUR',
      max_bid: null,
      ad_cost: null,
      page_upgrade_monthly_rate: 3000,
      page_upgrade_cost: 829,
    })
    expect(valuesOf({ program_id: '1', program_metrics: null })).toMatchObject({ budget: null })
  })

  it('do not differ by what the partner has in one of its answers alone', () => {
    const more = { ...live, ad_categories: ['roofing'], ad_campaign_id: null }
    const row = {
      ...valuesOf(live),
      ad_categories: null,
      ad_campaign_id: 'c',
    } as unknown as Program
    expect([...differing(row, valuesOf(more))]).toEqual([])
  })

  it('differ from the registry only where they say something else', () => {
    const row = {
      ...valuesOf(live),
      active_features: ['A', 'B'],
      available_features: [],
      ad_cost: 0,
      budget: 200,
    } as unknown as Program
    expect([...differing(row, valuesOf(live))].sort()).toEqual(['ad_cost', 'budget'])
  })
})

describe('pages', () => {
  it('say which rows they have', () => {
    expect(rangeOf(1, 20, 20)).toEqual({ from: 1, to: 20 })
    expect(rangeOf(3, 50, 7)).toEqual({ from: 101, to: 107 })
    expect(pageCount(0, 20)).toBe(1)
    expect(pageCount(40, 20)).toBe(2)
    expect(pageCount(41, 20)).toBe(3)
  })

  it('go back by the cursors that they came by, of their own list alone', () => {
    const trail = new Trail(listKey)
    const view = { ...USUAL_VIEW, page: 1 }
    trail.learn(view, 'to2')
    trail.learn({ ...view, page: 2 }, 'to3')
    expect(trail.to(view, 3)).toEqual({ page: 3, after: 'to3' })
    expect(trail.to({ ...view, page: 3 }, 2)).toEqual({ page: 2, after: 'to2' })
    expect(trail.to({ ...view, page: 2 }, 1)).toEqual({ page: 1, after: null })
    expect(trail.to(view, 9)).toEqual({ page: 9, after: null })
    expect(trail.to({ ...view, text: 'x' }, 2)).toEqual({ page: 2, after: null })
  })
})
