'use strict'

// Debian's Chromium with the pages of a stack in it. What a person would not see but
// must not happen is watched in every test: errors in the console, breaches of the
// Content Security Policy, and requests to anybody else.

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { createRequire } = require('node:module')
const { build, root, slow } = require('./stack.js')
const { diag, is, looks, ok, skipAll } = require('./tap.js')

const modules = createRequire(path.join(build, 'web-build/package.json'))
const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((file) => fs.existsSync(file))

/** Ends the test file where there is nothing to test with, unless it has to run. */
function needBrowser() {
  const lacks = !executablePath
    ? 'no Chromium'
    : !fs.existsSync(path.join(build, 'web-build/dist/index.html')) || !fs.existsSync(path.join(build, 'web-build/node_modules/playwright-core'))
      ? 'no pages in the build: make pages'
      : undefined
  if (lacks && process.env.TEST_WEB) {
    throw new Error(lacks)
  }
  if (lacks) skipAll(lacks)
}

const flags = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--force-color-profile=srgb',
  '--font-render-hinting=none',
]

let chromium
async function launch() {
  chromium ??= await modules('playwright-core').chromium.launch({
    executablePath,
    headless: true,
    chromiumSandbox: false,
    args: flags,
  })
  return chromium
}

const languages = {}
for (const name of ['en', 'uk', 'ru']) {
  const files = ['', 'operators/'].map((part) => path.join(root, `web/src/i18n/${part}${name}.json`))
  languages[name] = Object.assign({}, ...files.filter(fs.existsSync).map((file) => JSON.parse(fs.readFileSync(file, 'utf8'))))
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/** The text of a key, with the placeholders filled. */
function t(key, values = {}, language = 'en') {
  const text = key.split('.').reduce((node, name) => node?.[name], languages[language])
  if (typeof text !== 'string') throw new Error(`no text ${key} in ${language}`)
  return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all))
}

/** The same as a pattern that takes anything for the placeholders, plural or not. */
function pattern(key, values = {}, language = 'en') {
  const leaf = key.split('.').pop()
  const node = key.split('.').slice(0, -1).reduce((one, name) => one?.[name], languages[language]) ?? {}
  const forms = Object.keys(node).filter((name) => name === leaf || name.startsWith(`${leaf}_`))
  if (forms.length === 0) throw new Error(`no text ${key} in ${language}`)
  const prefix = key.slice(0, -leaf.length)
  return new RegExp(forms.map((form) => escaped(t(prefix + form, values, language)).replace(/\\\{\w+\\\}/g, '.+?')).join('|'))
}

class Browser {
  /** how: { locale, width, height, colorScheme, operator: [name, password] for the browser's own dialog } */
  static async open(stack, how = {}) {
    const self = new Browser()
    self.stack = stack
    self.complaints = []
    self.elsewhere = []
    self.context = await (await launch()).newContext({
      baseURL: stack.BASE_URL,
      locale: how.locale ?? 'en-US',
      timezoneId: 'Europe/Kyiv',
      viewport: { width: how.width ?? 1280, height: how.height ?? 800 },
      colorScheme: how.colorScheme ?? 'light',
      reducedMotion: 'reduce',
      acceptDownloads: true,
      httpCredentials: how.operator && { username: how.operator[0], password: how.operator[1] },
    })
    self.context.setDefaultTimeout(15_000 * slow)
    self.context.on('request', (request) => {
      const url = request.url()
      if (!url.startsWith(stack.BASE_URL) && !/^(?:blob|data):/.test(url)) self.elsewhere.push(url)
    })
    return self
  }

  /** Another tab of the same browser. */
  async tab() {
    const page = await this.context.newPage()
    page.on('console', (message) => {
      // An answer that is no 2xx is no mistake of the page.
      if (message.type() === 'error' && !/^Failed to load resource/.test(message.text())) {
        this.complaints.push(message.text())
      }
    })
    page.on('pageerror', (error) => this.complaints.push(String(error.stack ?? error)))
    this.page = page
    current = page
    return page
  }

  /** Nothing went wrong that a person would not see; the end of it. */
  async isClean() {
    is(this.complaints, [], 'nothing in the console, and no breach of the policy')
    is(this.elsewhere, [], 'nobody else was asked')
    await this.close()
  }

  async close() {
    await this.context.close()
    current = undefined
  }
}

let current
looks.push(async () => {
  if (!current || current.isClosed()) return 'no page'
  const where = process.env.TEST_FAILED
  if (where) {
    const file = path.join(where, `failed-${process.pid}-${Date.now()}.png`)
    await current.screenshot({ path: file })
    diag(`it looked like ${file}`)
  }
  return `${current.url()} said:\n${(await current.locator('body').innerText({ timeout: 5000 })).slice(0, 3000)}`
})

/** A test that a person sees it, now or soon. */
async function sees(where, name, seconds = 15) {
  const shown = await where.first().waitFor({ timeout: seconds * 1000 * slow }).then(() => true, () => false)
  if (!shown) diag(`while the page said:\n${(await where.page().locator('body').innerText()).slice(0, 2000)}`)
  return ok(shown, name)
}

/** Types a login into the form and sends it. */
async function signIn(page, [user, password], how = {}) {
  await page.getByLabel(t('login.user'), { exact: true }).fill(user)
  await page.getByLabel(t('login.password'), { exact: true }).fill(password)
  if (how.stay) await page.getByLabel(t('login.keep')).check()
  await page.getByRole('button', { name: t('login.submit'), exact: true }).click()
}

/** What axe-core finds that is serious or worse, as lines. */
async function axe(page) {
  // Evaluated, not added as a script: the policy of the page forbids that, rightly.
  await page.evaluate(fs.readFileSync(modules.resolve('axe-core'), 'utf8'))
  const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
  return found.violations
    .filter((one) => ['serious', 'critical'].includes(one.impact))
    .map((one) => `${one.id}: ${one.nodes.map((node) => `${node.target.join(' ')} ${[...node.any, ...node.all, ...node.none].map((check) => check.message).join('; ')}`).slice(0, 3).join(', ')}`)
}

/** How far the page can be scrolled sideways, in pixels. */
async function sideways(page) {
  return page.evaluate(() => {
    const all = document.scrollingElement
    return Math.max(all.scrollWidth - all.clientWidth, document.body.scrollWidth - document.documentElement.clientWidth, 0)
  })
}

/** A colour as a person would call it. */
function called(rgb) {
  const [r, g, b] = rgb.match(/[\d.]+/g).map((n) => Number(n) / 255)
  const [high, low] = [Math.max(r, g, b), Math.min(r, g, b)]
  if (high - low < 0.12) return 'grey'
  const sixth = high === r ? ((g - b) / (high - low) + 6) % 6 : high === g ? (b - r) / (high - low) + 2 : (r - g) / (high - low) + 4
  const hue = sixth * 60
  if (hue < 18 || hue > 330) return 'red'
  if (hue < 60) return 'amber'
  if (hue < 175) return 'green'
  return hue < 270 ? 'blue' : 'purple'
}

/** Text of the progress bar and colour of its filled part, of one moment: it goes by itself. */
async function barNow(page) {
  const [text, rgb] = await page.evaluate(() => {
    const one = document.querySelector('[role=progressbar]')
    return one ? [one.getAttribute('aria-valuetext') ?? '', getComputedStyle(one.firstElementChild).backgroundColor] : ['', null]
  })
  return { text, tone: rgb === null ? 'none' : called(rgb) }
}

/** A picture for docs/screenshots, when TEST_SCREENSHOTS names a directory. */
async function shot(page, name) {
  const where = process.env.TEST_SCREENSHOTS
  if (!where) return
  fs.mkdirSync(where, { recursive: true })
  await page.mouse.move(0, 0)
  const file = path.join(where, `${name}.png`)
  await page.screenshot({ path: file, animations: 'disabled', caret: 'hide' })
  // A third of the size, where the tool is there.
  spawnSync('pngquant', ['--force', '--skip-if-larger', '--output', file, '64', file])
}

async function closeAll() {
  await chromium?.close()
  chromium = undefined
}

module.exports = { Browser, axe, barNow, closeAll, languages, needBrowser, pattern, sees, shot, sideways, signIn, t }
