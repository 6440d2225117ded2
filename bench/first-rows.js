'use strict'

// node first-rows.js URL USER PASSWORD VISITS: a line of JSON for each visit, by turns
// with the browser's cache emptied and with it.

const { createRequire } = require('node:module')
const path = require('node:path')

const build = process.env.LOCKSTEP_BUILD || path.resolve(__dirname, '../build')
const { chromium } = createRequire(path.join(build, 'web-build/package.json'))('playwright-core')
const [url, user, password, visits] = process.argv.slice(2)

/** In the page: when the first row with a text in it has been painted. */
function watch() {
  const look = () => {
    const cell = document.querySelector('tbody td')
    if (!cell || cell.textContent.trim() === '') return requestAnimationFrame(look)
    requestAnimationFrame(() => setTimeout(() => { window.firstRows = performance.now() }))
  }
  requestAnimationFrame(look)
}

async function main() {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    chromiumSandbox: false,
    args: ['--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  })
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US' })
  const page = await context.newPage()
  await page.goto(`${url}/login`)
  await page.locator('input[autocomplete=username]').fill(user)
  await page.locator('input[autocomplete=current-password]').fill(password)
  await page.locator('input[type=checkbox]').check()
  await page.locator('button[type=submit]').click()
  await page.waitForURL('**/programs*')
  await page.locator('tbody td').first().waitFor()
  await page.addInitScript(watch)
  const devtools = await context.newCDPSession(page)
  for (let i = 0; i < Number(visits); i++) {
    const cache = i % 2 ? 'warm' : 'cold'
    if (cache === 'cold') await devtools.send('Network.clearBrowserCache')
    await page.goto('about:blank')
    await page.goto(`${url}/programs`)
    await page.waitForFunction(() => window.firstRows)
    const visit = await page.evaluate(() => ({
      rows: window.firstRows,
      bytes: performance.getEntriesByType('resource').filter((one) => /\.(js|css|woff2)$/.test(one.name)).reduce((n, one) => n + one.transferSize, 0),
      paint: performance.getEntriesByName('first-contentful-paint')[0].startTime,
    }))
    process.stdout.write(`${JSON.stringify({ cache, ...visit })}\n`)
  }
  await browser.close()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
