// Writes lockstep/third-party.txt: every package that code in the bundle comes
// from, with its licence as the package has it. A package without one ends the
// build, because then nobody may pass it on.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

interface Package {
  name: string
  version: string
  license: string
  text: string
}

/** The directory of the package that a module belongs to. */
export function packageDirectory(id: string): string | undefined {
  const file = id.replace(/^\0/, '').replace(/\?.*$/, '')
  const match = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)
  return match?.[1]
}

function licenceText(directory: string): string {
  const names = readdirSync(directory)
    .filter((name) => /^(?:licen[cs]e|copying|notice)(?:[.-]|$)/i.test(name))
    .sort()
  return names.map((name) => readFileSync(join(directory, name), 'utf8').trim()).join('\n\n')
}

function readPackage(directory: string): Package {
  const about = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as {
    name: string
    version: string
    license?: string
    author?: string | { name?: string }
  }
  if (!about.license) {
    throw new Error(`${about.name} ${about.version} names no licence`)
  }
  const author = typeof about.author === 'string' ? about.author : about.author?.name
  const text = licenceText(directory)
  return {
    name: about.name,
    version: about.version,
    license: about.license,
    text: text || (author ? `Copyright (c) ${author}` : ''),
  }
}

function rendered(all: Package[]): string {
  const rule = '-'.repeat(72)
  const parts = all.map((one) =>
    [rule, `${one.name} ${one.version} (${one.license})`, '', one.text].join('\n').trimEnd(),
  )
  const head = 'These pages contain code of the following packages.'
  return `${[head, ...parts].join('\n\n')}\n`
}

export function notices(fileName: string): Plugin {
  return {
    name: 'lockstep-notices',
    apply: 'build',
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).flatMap((one) => (one.type === 'chunk' ? one.moduleIds : []))
      // Styles, and the fonts that they name, are not listed with a chunk.
      const styles = [...this.getModuleIds()].filter((id) => /\.css(?:\?|$)/.test(id))
      const directories = new Set<string>()
      for (const id of [...chunks, ...styles]) {
        const directory = packageDirectory(id)
        if (directory !== undefined && existsSync(join(directory, 'package.json'))) {
          directories.add(directory)
        }
      }
      const all = [...directories].map(readPackage).sort((a, b) => (a.name < b.name ? -1 : 1))
      this.emitFile({ type: 'asset', fileName, source: rendered(all) })
    },
  }
}
