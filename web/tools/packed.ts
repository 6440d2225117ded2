// Packs what nginx serves packed (gzip_static), and ends the build when what a
// browser loads before it can show a page is over the limit.

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'

const PACKED = /\.(?:js|css|html|svg|txt)$/
const SMALLEST = 1024

function filesBelow(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name)
    return statSync(path).isDirectory() ? filesBelow(path) : [path]
  })
}

/** Static imports of a module, as the bundler writes them. */
function importsOf(code: string): string[] {
  return [...code.matchAll(/(?:\bfrom|\bimport)\s*"(\.[^"]+\.js)"/g)].map((match) => match[1] ?? '')
}

/**
 * The files that index.html asks for, the given ones, and those that the scripts among
 * them import statically, whether they are preloaded or not.
 */
export function initialFiles(directory: string, more: string[]): string[] {
  const page = readFileSync(join(directory, 'index.html'), 'utf8')
  const found = new Set<string>()
  const named = [...page.matchAll(/(?:src|href)="(\/[^"]+\.(?:js|css))"/g)].map((match) => match[1] ?? '')
  const todo = [...more, ...named]
  for (let url = todo.pop(); url !== undefined; url = todo.pop()) {
    const file = join(directory, url)
    if (found.has(file) || !existsSync(file)) {
      continue
    }
    found.add(file)
    if (file.endsWith('.js')) {
      const from = url
      todo.push(...importsOf(readFileSync(file, 'utf8')).map((name) => new URL(name, `http://x${from}`).pathname))
    }
  }
  return [...found].sort()
}

/** needed: modules that are loaded lazily, but by everybody. */
export function packed(limit: number, needed: string[]): Plugin {
  let directory = ''
  const more: string[] = []
  return {
    name: 'lockstep-packed',
    apply: 'build',
    configResolved(config) {
      directory = join(config.root, config.build.outDir)
    },
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((one) => one.type === 'chunk')
      for (const name of needed) {
        const chunk = chunks.find(({ moduleIds }) => moduleIds.some((id) => id.endsWith(name)))
        if (chunk === undefined) {
          throw new Error(`no chunk has ${name}`)
        }
        more.push(`/${chunk.fileName}`, ...[...(chunk.viteMetadata?.importedCss ?? [])].map((file) => `/${file}`))
      }
    },
    writeBundle: {
      order: 'post',
      handler() {
        for (const file of filesBelow(directory)) {
          const bytes = readFileSync(file)
          if (PACKED.test(file) && bytes.length >= SMALLEST) {
            writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }))
          }
        }
        const files = initialFiles(directory, more)
        const sum = files.reduce((n, file) => n + gzipSync(readFileSync(file), { level: 9 }).length, 0)
        const said = `${(sum / 1000).toFixed(1)} kB packed in ${files.length} files before the first page; ${limit / 1000} kB is the limit`
        if (files.length === 0 || sum >= limit) {
          throw new Error(said)
        }
        console.log(said)
      },
    },
  }
}
