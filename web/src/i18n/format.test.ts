import { beforeAll, describe, expect, it } from 'vitest'

import { ago, countdown, duration, moment } from './format'
import { pickLanguage, setLanguage, startI18n } from './index'

beforeAll(startI18n)

describe('pickLanguage', () => {
  it('takes what the person chose, then what the browser wants, then English', () => {
    expect(pickLanguage('ru', ['uk-UA'])).toBe('ru')
    expect(pickLanguage(null, ['de', 'uk-UA', 'en'])).toBe('uk')
    expect(pickLanguage('xx', ['fr'])).toBe('en')
    expect(pickLanguage(null, [])).toBe('en')
  })
})

describe('lengths of time', () => {
  it('have two units at most', async () => {
    await setLanguage('en')
    expect(duration(0)).toBe('0 sec')
    expect(duration(850)).toBe('0.9 sec')
    expect(duration(9_960)).toBe('10 sec')
    expect(duration(65_000)).toBe('1 min 5 sec')
    expect(duration(59_999)).toBe('1 min')
    expect(duration(7_380_000)).toBe('2 hr 3 min')
  })

  it('count down in whole seconds', async () => {
    await setLanguage('en')
    expect(countdown(3_001)).toBe('4 sec')
    expect(countdown(-5)).toBe('0 sec')
    await setLanguage('uk')
    expect(countdown(4_000)).toBe('4 с')
  })
})

describe('moments', () => {
  const now = new Date('2026-11-20T12:00:00')
  it('are a time when they are today, and have a date else', async () => {
    await setLanguage('en')
    expect(moment('2026-11-20T09:05:07', now)).toMatch(/^9:05:07.AM$/)
    expect(moment('2026-11-18T09:05:07', now)).toMatch(/^Nov 18, 2026/)
    expect(moment('rubbish', now)).toBe('rubbish')
  })

  it('are told by how long ago they were', async () => {
    const at = (s: number) => new Date(now.getTime() - s * 1000).toISOString()
    await setLanguage('en')
    expect(ago(at(30), now.getTime())).toBe('just now')
    expect(ago(at(180), now.getTime())).toBe('3 minutes ago')
    await setLanguage('ru')
    expect(ago(at(7200), now.getTime())).toBe('2 часа назад')
  })
})
