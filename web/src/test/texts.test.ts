import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

import ts from 'typescript'
import { describe, expect, it } from 'vitest'

import en from '../i18n/en.json'
import operatorsEn from '../i18n/operators/en.json'
import operatorsRu from '../i18n/operators/ru.json'
import operatorsUk from '../i18n/operators/uk.json'
import ru from '../i18n/ru.json'
import uk from '../i18n/uk.json'

type Tree = { [key: string]: string | Tree }

const files: Record<string, Tree> = {
  en: { ...en, ...operatorsEn },
  uk: { ...uk, ...operatorsUk },
  ru: { ...ru, ...operatorsRu },
}
const PLURAL = /_(zero|one|two|few|many|other)$/

function flat(tree: Tree, prefix = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') found.set(prefix + key, value)
    else for (const [k, v] of flat(value, `${prefix}${key}.`)) found.set(k, v)
  }
  return found
}

function placeholders(text: string): string {
  return [...text.matchAll(/\{(\w+)/g)]
    .map((m) => m[1])
    .sort()
    .join(' ')
}

/** Of each key without its plural ending: the endings and the placeholders. */
function shape(tree: Tree): Map<string, { forms: Set<string>; names: Set<string> }> {
  const shapes = new Map<string, { forms: Set<string>; names: Set<string> }>()
  for (const [key, text] of flat(tree)) {
    const stem = key.replace(PLURAL, '')
    const one = shapes.get(stem) ?? { forms: new Set(), names: new Set() }
    one.forms.add(PLURAL.exec(key)?.[1] ?? '')
    one.names.add(placeholders(text))
    shapes.set(stem, one)
  }
  return shapes
}

it('has no part of the texts twice', () => {
  expect(Object.keys(en).filter((part) => part in operatorsEn)).toEqual([])
})

describe.each(Object.keys(files))('texts in %s', (language) => {
  const own = shape(files[language]!)
  const english = shape(files['en']!)

  it('has the keys of English, no more and no fewer', () => {
    expect([...own.keys()].sort()).toEqual([...english.keys()].sort())
  })

  it('has the placeholders of English in every form', () => {
    for (const [stem, { names }] of own) {
      expect([...names], stem).toEqual([...english.get(stem)!.names])
    }
  })

  it('has every plural form that the language needs', () => {
    const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories
    for (const [stem, { forms }] of own) {
      const plural = !english.get(stem)!.forms.has('')
      expect([...forms].sort(), stem).toEqual(plural ? [...needed].sort() : [''])
    }
  })

  it('has no empty text', () => {
    for (const [key, text] of flat(files[language]!)) expect(text.trim(), key).not.toBe('')
  })
})

const root = join(__dirname, '..')

function sources(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name)
    if (statSync(path).isDirectory()) return sources(path)
    return /\.tsx$/.test(name) && !/\.test\.tsx$/.test(name) ? [path] : []
  })
}

const SPOKEN = new Set([
  'label',
  'title',
  'alt',
  'placeholder',
  'description',
  'aria-label',
  'text',
])
const WORD = /\p{L}/u

/** Words that a person would read or hear and that are not looked up. */
function literals(path: string, code: string): string[] {
  const file = ts.createSourceFile(path, code, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX)
  const found: string[] = []
  const see = (node: ts.Node): void => {
    if (ts.isJsxText(node) && WORD.test(node.text)) found.push(node.text.trim())
    if (ts.isJsxExpression(node) && ts.isJsxElement(node.parent)) words(node.expression, found)
    if (ts.isJsxAttribute(node) && SPOKEN.has(node.name.getText())) {
      const value = node.initializer
      words(value && ts.isJsxExpression(value) ? value.expression : value, found)
    }
    ts.forEachChild(node, see)
  }
  see(file)
  return found
}

function words(node: ts.Node | undefined, found: string[]): void {
  if (node === undefined) return
  if (ts.isStringLiteralLike(node) && WORD.test(node.text)) found.push(node.text)
  if (ts.isConditionalExpression(node)) {
    words(node.whenTrue, found)
    words(node.whenFalse, found)
  }
  if (ts.isBinaryExpression(node)) words(node.right, found)
}

describe('components', () => {
  it('is a rule that sees words', () => {
    const code = `const a = <p title="Yes">No {b ? 'maybe' : null}<i className="x">{t('k')}</i></p>`
    expect(literals('x.tsx', code).sort()).toEqual(['No', 'Yes', 'maybe'])
  })

  it('have no words of their own', () => {
    const found = sources(root).flatMap((path) =>
      literals(path, readFileSync(path, 'utf8')).map((word) => `${path}: ${word}`),
    )
    expect(found).toEqual([])
  })
})
