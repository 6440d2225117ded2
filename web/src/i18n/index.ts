import i18next from 'i18next'
import { initReactI18next } from 'react-i18next'

import type en from './en.json'
import type operators from './operators/en.json'

export const languages = ['en', 'uk', 'ru'] as const
export type Language = (typeof languages)[number]

/** What each language calls itself; the same in all of them, so not in the files. */
export const endonym: Record<Language, string> = {
  en: 'English',
  uk: 'Українська',
  ru: 'Русский',
}

type Texts = typeof en & typeof operators

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'common'
    resources: Texts
  }
}

const KEY = 'lockstep.language'

type Load = Record<Language, () => Promise<{ default: unknown }>>

const load: Load = {
  en: () => import('./en.json'),
  uk: () => import('./uk.json'),
  ru: () => import('./ru.json'),
}

function isLanguage(value: unknown): value is Language {
  return languages.includes(value as Language)
}

/** The first of the browser's languages that there is, Belarusian and the like aside. */
export function pickLanguage(remembered: string | null, wanted: readonly string[]): Language {
  if (isLanguage(remembered)) return remembered
  for (const tag of wanted) {
    const primary = tag.toLowerCase().split('-')[0]
    if (isLanguage(primary)) return primary
  }
  return 'en'
}

export async function startI18n(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: 'en',
    fallbackLng: false,
    ns: [],
    defaultNS: 'common',
    resources: {},
    returnNull: false,
    showSupportNotice: false,
    interpolation: { escapeValue: false, prefix: '{', suffix: '}' },
    react: { useSuspense: false },
  })
  await show(pickLanguage(remembered(), navigator.languages))
}

/** The person's own choice. */
export async function setLanguage(language: Language): Promise<void> {
  await show(language)
  try {
    localStorage.setItem(KEY, language)
  } catch {
    // Not remembered, then.
  }
}

export function currentLanguage(): Language {
  return isLanguage(i18next.language) ? i18next.language : 'en'
}

/** What is loaded with a language: the texts of everybody, then those that were added. */
const parts: Load[] = [load]

/** Texts that only some pages have; they are there when this resolves. */
export async function addTexts(more: Load): Promise<void> {
  if (parts.includes(more)) return
  parts.push(more)
  await read(more, currentLanguage())
}

async function read(from: Load, language: Language): Promise<void> {
  const { default: texts } = await from[language]()
  for (const [ns, part] of Object.entries(texts as Record<string, unknown>)) {
    i18next.addResourceBundle(language, ns, part)
  }
}

async function show(language: Language): Promise<void> {
  await Promise.all(parts.map((part) => read(part, language)))
  await i18next.changeLanguage(language)
  document.documentElement.lang = language
}

function remembered(): string | null {
  try {
    return localStorage.getItem(KEY)
  } catch {
    return null
  }
}
