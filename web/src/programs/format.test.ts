import i18next from 'i18next'
import { beforeAll, describe, expect, it } from 'vitest'

import { startI18n } from '../i18n'
import { day, isNoEnd, money } from './format'

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ')

beforeAll(startI18n)

describe('money', () => {
  it('is exact to the cent', () => {
    expect(money(1999, 'USD')).toBe('$19.99')
    expect(money(0, 'USD')).toBe('$0.00')
    expect(money(123456789, 'USD')).toBe('$1,234,567.89')
    expect(money(-5, 'USD')).toBe('-$0.05')
    for (let cents = 0; cents < 100_000; cents += 37) {
      expect(Number(money(cents, 'USD').replace(/[$,]/g, '')) * 100).toBeCloseTo(cents, 6)
    }
  })

  it('is in the currency of its program, dollars if that has none', () => {
    expect(money(1000, 'EUR')).toBe('€10.00')
    expect(money(1000, null)).toBe('$10.00')
  })

  it('has cents also where a currency usually has none', () => {
    expect(money(1050, 'JPY')).toBe('¥10.50')
  })

  it('survives a currency that is none', () => {
    expect(money(1050, 'dollars!')).toBe('10.50 dollars!')
  })

  it('follows the language', async () => {
    await i18next.changeLanguage('uk')
    expect(plain(money(123456, 'USD'))).toBe('1 234,56 $')
    await i18next.changeLanguage('en')
  })
})

describe('days', () => {
  it('do not move with the time zone', () => {
    expect(day('2025-03-01')).toBe('Mar 1, 2025')
    expect(day('2024-12-31')).toBe('Dec 31, 2024')
  })

  it.each(['', 'soon', '2025-13-01', '2025-02-30', '2025-3-1'])(
    'are left as they came: %j',
    (value) => {
      expect(day(value)).toBe(value)
    },
  )

  it('know the one that is no end', () => {
    expect(isNoEnd('9999-12-31')).toBe(true)
    expect(isNoEnd('9999-12-30')).toBe(false)
    expect(isNoEnd(null)).toBe(false)
  })
})
