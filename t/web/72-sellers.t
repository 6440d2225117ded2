#!/usr/bin/env node
'use strict'

// What an operator does with sellers in the browser: one is added, its token replaced,
// products come by a list, a file or all at once, and a seller is deleted.

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Browser, axe, closeAll, needBrowser, pattern, sees, shot, sideways, t } = require('../lib/web/browser.js')
const { Stack, waitFor } = require('../lib/web/stack.js')
const { done, is, like, ok, subtest } = require('../lib/web/tap.js')

needBrowser()

// A second at the API is a tenth of ours, and so are our intervals.
const FACTOR = 10
const interval = `${20_500 / FACTOR + 100}ms`
const stack = Stack.start({
  latency: 20,
  conf: { 'jobs.workers': 2, 'analytics.schedule': '', 'analytics.funnel_interval': interval, 'analytics.texts_interval': interval },
})

const sellers = async () => (await stack.op('GET', 'sellers')).sellers
const seller = (id) => stack.op('GET', `sellers/${id}`)
const token = async (what) => (await stack.sellerSim('POST', '/tokens', what)).token
const button = (where, key, values = {}, language = 'en') => where.getByRole('button', { name: t(key, values, language), exact: true })
const field = (page, key, language = 'en') => page.getByLabel(t(`analytics.${key}`, {}, language), { exact: true })
const alert = (page) => page.getByRole('dialog').getByRole('alert')
const focused = (page) => page.evaluate(() => document.activeElement.getAttribute('aria-label') || document.activeElement.id || document.activeElement.textContent)

async function open(where, how = {}) {
  const browser = await Browser.open(stack, { operator: stack.operator, ...how })
  const page = await browser.tab()
  await page.goto(where)
  return { browser, page }
}

/** Where a token must not be once it has been sent. */
async function nowhere(page, secret, name) {
  const kept = await page.evaluate(async () => [
    location.href,
    JSON.stringify(history.state),
    JSON.stringify({ ...localStorage }),
    JSON.stringify({ ...sessionStorage }),
    document.cookie,
    document.documentElement.outerHTML,
    ...[...document.querySelectorAll('input, textarea')].map((input) => input.value),
    ...(await indexedDB.databases()).map((one) => one.name),
  ].join('\n'))
  ok(!kept.includes(secret), name)
}

let demo
async function main() {
  await stack.sellerSim('POST', '/clock', { factor: FACTOR })

  await subtest('the first seller, by the keyboard alone', async () => {
    const { browser, page } = await open('/analytics')
    await sees(page.getByText(t('analytics.noSellers')), 'there is none')
    const add = page.getByRole('link', { name: t('analytics.addSeller') })
    for (let i = 0; i < 12 && !(await add.evaluate((one) => one === document.activeElement)); i++) await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog', { name: t('analytics.addSeller') })
    await sees(dialog, 'the way to one')
    await waitFor('the name', async () => field(page, 'sellerName').evaluate((one) => one === document.activeElement))
    is(await axe(page), [], 'axe finds nothing serious')
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    await waitFor('the link', async () => add.evaluate((one) => one === document.activeElement))
    await page.keyboard.press('Enter')
    await waitFor('the name', async () => field(page, 'sellerName').evaluate((one) => one === document.activeElement))
    await page.keyboard.type('Demo')
    await page.keyboard.press('Tab')
    await page.keyboard.insertText(` ${stack.SELLER_TOKEN}\n`)
    is(await field(page, 'token').getAttribute('type'), 'password', 'nobody reads it over a shoulder')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/analytics\?seller=\d+$/)
    await sees(page.getByText(t('analytics.sellerAdded', { name: 'Demo' })), 'it says so')
    const [added] = await sellers()
    demo = added.id
    is([added.name, added.timeZone, added.allProducts], ['Demo', 'Europe/Moscow', true], 'as it was asked for')
    await sees(page.getByRole('region', { name: t('jobs.run') }), 'its first run begins by itself')
    await sees(page.getByRole('table').getByText('₽').first(), 'and its figures come')
    await nowhere(page, stack.SELLER_TOKEN, 'the token is nowhere in the browser')
    const logs = fs.readdirSync(stack.LOG_DIR).map((name) => fs.readFileSync(path.join(stack.LOG_DIR, name), 'utf8')).join('')
    ok(logs.length > 0 && !logs.includes(stack.SELLER_TOKEN), '... nor in a log')
    await browser.isClean()
  })

  await subtest('why the API does not take a seller, in Russian', async () => {
    const { browser, page } = await open('/analytics', { locale: 'ru-RU' })
    await page.getByRole('button', { name: t('analytics.addSeller', {}, 'ru') }).click()
    const send = async (name, secret) => {
      await field(page, 'sellerName', 'ru').fill(name)
      await field(page, 'token', 'ru').fill(secret)
      await page.keyboard.press('Enter')
    }
    const revoked = await token({ seller: 'demo' })
    await stack.sellerSim('POST', '/tokens/revoke', { token: revoked, as: 403 })
    const cases = [
      ['refused_tokenRefused', 'New', 'no-token-at-all'],
      ['refused_tokenExpired', 'New', await token({ seller: 'demo', days: -1 })],
      ['refused_tokenJustRefused', 'New', 'no-token-at-all'],
      ['refused_tokenWrongCategory', 'New', await token({ seller: 'demo', categories: ['prices'] })],
      ['refused_tokenNoAccess', 'New', revoked],
      ['refused_tokenBad', 'New', 'два слова'],
    ]
    for (const [key, name, secret] of cases) {
      await send(name, secret)
      await sees(alert(page).getByText(t(`analytics.${key}`, {}, 'ru'), { exact: true }), key)
      await waitFor('the field', async () => (await field(page, 'token', 'ru').inputValue()) === '')
      ok(await field(page, 'token', 'ru').evaluate((one) => one === document.activeElement), '... the keyboard is in the field, which is empty')
      await nowhere(page, secret, '... and what was refused is forgotten')
    }
    await shot(page, 'seller-refused')
    await send('Demo', stack.SELLER_TOKEN)
    await sees(alert(page).getByText(t('analytics.refused_nameTaken', {}, 'ru')), 'a name that there is already')
    ok(await field(page, 'sellerName', 'ru').evaluate((one) => one === document.activeElement), '... the keyboard is there')
    is(await axe(page), [], 'axe finds nothing serious')
    is((await sellers()).length, 1, 'none was added')
    await browser.isClean()
  })

  let shop
  await subtest('a seller whose token expires soon, and products by hand', async () => {
    await stack.sellerSim('POST', '/sellers', { name: 'shop', products: 30 })
    const { products } = await stack.sellerSim('GET', '/data?seller=shop&start=2026-01-01&end=2026-01-02')
    const ids = products.map(({ product }) => product.nmId)
    const { browser, page } = await open('/analytics?manage=new')
    await field(page, 'sellerName').fill('<i>Shop</i> & Söhne')
    await field(page, 'token').fill(await token({ seller: 'shop', days: 3 }))
    await field(page, 'timeZone').selectOption('Asia/Yekaterinburg')
    await field(page, 'takeAll').uncheck()
    await shot(page, 'seller-add')
    await page.getByRole('dialog').getByRole('button', { name: t('analytics.addSeller') }).click()
    await page.waitForURL(/manage=products/)
    shop = (await sellers()).find(({ name }) => name !== 'Demo').id
    is((await seller(shop)).timeZone, 'Asia/Yekaterinburg', 'it is there, with its clock')
    const list = field(page, 'idList')
    await waitFor('the list', async () => list.evaluate((one) => one === document.activeElement))
    await list.fill(`${ids[0]}, https://www.wildberries.ru/catalog/${ids[1]}/detail.aspx\n${ids[2]};lamp`)
    await button(page, 'analytics.addIds').click()
    await sees(page.getByRole('status').getByText(t('analytics.added_other', { n: 3 })), 'three by a list')
    await sees(page.getByRole('status').getByText('lamp'), '... and what was none')
    await waitFor('them', async () => (await seller(shop)).products === 3)
    await waitFor('a run', async () => (await stack.op('GET', 'jobs')).jobs.some((job) => job.seller.id === shop))
    ok(true, 'whose figures are asked for at once')

    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'lockstep-csv-')), 'wb.csv')
    const rows = ids.slice(2, 6).map((id) => `"Лампа; ""синяя""";${id};5`)
    fs.writeFileSync(file, `\uFEFFНазвание;Артикул WB;Остаток\r\n${rows.join('\r\n')}\r\nитого;;20\r\n;нет;\r\n`)
    await page.locator('input[type=file]').setInputFiles(file)
    const report = page.getByRole('status').filter({ hasText: t('analytics.added_other', { n: 3 }) })
    await sees(report.getByText(t('analytics.known_one', { n: 1 })), 'three more by a file, one was there')
    await sees(report.getByText(t('analytics.line', { n: 7 })), '... and which line was none')
    is((await seller(shop)).products, 6, 'six in all')
    await waitFor('it to be in sight', async () => report.evaluate((one) => one.getBoundingClientRect().bottom <= innerHeight + 1))
    await page.getByRole('alert').getByRole('button').click({ timeout: 1000 }).catch(() => {})
    await shot(page, 'seller-products')
    const many = Array.from({ length: 7000 }, (_, i) => 900_000_000 + i)
    fs.writeFileSync(file, `nmId\n${many.join('\n')}\n`)
    await page.locator('input[type=file]').setInputFiles(file)
    await sees(page.getByRole('status').getByText(t('analytics.added_other', { n: '7,000' })), 'a file larger than a request may be')
    is((await seller(shop)).products, 7006, '... all of it')
    fs.rmSync(path.dirname(file), { recursive: true })
    await field(page, 'takeAll').check()
    await waitFor('all', async () => (await seller(shop)).allProducts)
    // The page does not take the next click before it has the answer to the first.
    const all = field(page, 'takeAll')
    await waitFor('the page', async () => (await all.getAttribute('aria-disabled')) === 'false' && all.isChecked())
    await all.uncheck()
    await waitFor('not all', async () => !(await seller(shop)).allProducts)
    ok(true, 'all that the API lists can be had, and not')
    is(await axe(page), [], 'axe finds nothing serious')
    await browser.isClean()
  })

  await subtest('its token is replaced', async () => {
    const { browser, page } = await open(`/analytics?seller=${shop}`)
    const note = page.getByRole('note')
    await sees(note.getByText(pattern('analytics.tokenSoon')), 'the warning, with its end')
    await note.getByRole('button').click()
    const again = field(page, 'newToken')
    await waitFor('the field', async () => again.evaluate((one) => one === document.activeElement))
    await shot(page, 'seller-token')
    await again.fill(stack.SELLER_TOKEN)
    await page.keyboard.press('Enter')
    await sees(alert(page).getByText(t('analytics.refused_tokenOthers')), 'not by that of another seller')
    const fresh = await token({ seller: 'shop' })
    await again.fill(fresh)
    await button(page, 'analytics.changeToken').last().click()
    await sees(page.getByText(pattern('analytics.tokenChanged')), 'by its own')
    await sees(page.getByRole('dialog').getByText(t('analytics.token_active')), '... which is good')
    is((await seller(shop)).tokenExpiresSoon, false, '... for long')
    await nowhere(page, fresh, 'and nowhere in the browser')
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    is(await note.count(), 0, 'the warning has gone')
    // What it was opened from has gone, too.
    await waitFor('the keyboard', async () => (await focused(page)) === 'content')
    await browser.isClean()
  })

  await subtest('a product is taken off, after a question', async () => {
    const name = t('analytics.product', { id: 900000007 })
    const { browser, page } = await open(`/analytics?seller=${shop}&q=900000007`)
    await page.getByRole('table').getByRole('button', { name }).click()
    const first = button(page, 'analytics.removeProduct')
    await first.click()
    const question = page.getByRole('dialog', { name: t('analytics.removeProductSure', { name }) })
    await waitFor('the harmless one', async () => (await focused(page)) === t('common.cancel'))
    is(await axe(page), [], 'axe finds nothing serious')
    await page.keyboard.press('Escape')
    await question.waitFor({ state: 'hidden' })
    await waitFor('where it was', async () => (await focused(page)) === t('analytics.removeProduct'))
    is((await seller(shop)).products, 7006, 'a question taken back removes nothing')
    await first.click()
    await button(question, 'analytics.removeProduct').click()
    await sees(page.getByText(t('analytics.productRemoved', { name })), 'it says so')
    await sees(page.getByText(t('analytics.noMatch')), 'it is in the table no more')
    is((await seller(shop)).products, 7005, '... nor at the server')
    ok(page.url().endsWith(`/analytics?seller=${shop}&q=900000007`), 'what was filtered still is')
    await browser.isClean()
  })

  await subtest('a seller is deleted, after it was asked by its name', async () => {
    const { browser, page } = await open(`/analytics?seller=${shop}`)
    const name = '<i>Shop</i> & Söhne'
    await button(page, 'analytics.manage').click()
    const first = button(page.getByRole('dialog'), 'analytics.removeThis', { name })
    await first.click()
    const question = page.getByRole('dialog', { name: t('analytics.removeSure', { name }) })
    await sees(question.getByText(pattern('analytics.removeSureText', { n: '7,005' })), 'it says what will be gone')
    await waitFor('the harmless one', async () => (await focused(page)) === t('common.cancel'))
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'seller-delete')
    await page.keyboard.press('Escape')
    await question.waitFor({ state: 'hidden' })
    await waitFor('where it was', async () => (await focused(page)) === t('analytics.removeThis', { name }))
    is((await sellers()).length, 2, 'a question taken back deletes nothing')
    await first.click()
    await button(question, 'analytics.removeThis', { name }).click()
    await sees(page.getByText(t('analytics.removed', { name })), 'it says so')
    is((await sellers()).map((one) => one.name), ['Demo'], 'it is gone')
    await page.waitForURL(/\/analytics$/)
    await sees(page.getByRole('navigation', { name: t('analytics.sellers') }).getByRole('link', { name: /Demo/ }), 'the other one is shown')
    await waitFor('the keyboard', async () => (await focused(page)) === 'content')
    await browser.isClean()
  })

  await subtest('a run that fails for its token leads to another one', async () => {
    const { token: bad } = await stack.sellerSim('POST', '/sellers', { name: 'late', products: 5 })
    const id = await stack.seller('Late', bad)
    await stack.sellerSim('POST', '/tokens/revoke', { token: bad, as: 401 })
    const { taskId } = await stack.op('POST', 'sync-background', { sellerId: id })
    const { browser, page } = await open(`/jobs?job=${taskId}`, { locale: 'uk-UA' })
    const run = page.getByRole('region', { name: t('jobs.run', {}, 'uk') })
    await sees(run.getByText(`${t('jobs.headFailed', {}, 'uk')}. ${t('analytics.error_login_wrong', {}, 'uk')}`), 'the run fails, and says why', 40)
    const row = page.getByRole('row').filter({ hasText: t('jobs.whole', {}, 'uk') })
    await sees(row.getByText(t('analytics.error_login_wrong', {}, 'uk')), 'it says why')
    like(await run.innerText(), new RegExp(` ${t('jobs.ofTotal', { n: '0', total: '5' }, 'uk')}`), `what it was about is known: ${await run.innerText()}`)
    await shot(page, 'job-token')
    await run.getByRole('link', { name: t('analytics.changeToken', {}, 'uk') }).click()
    const again = field(page, 'newToken', 'uk')
    await waitFor('the field', async () => again.evaluate((one) => one === document.activeElement))
    await sees(page.getByRole('dialog').getByText(t('analytics.token_refused', {}, 'uk')), 'the token is told to be refused')
    await again.fill(await token({ seller: 'late' }))
    await page.keyboard.press('Enter')
    await sees(page.getByRole('dialog').getByText(t('analytics.token_active', {}, 'uk')), 'another one is taken')
    is((await seller(id)).tokenState, 'active', '... as the server has it')
    await stack.op('DELETE', `sellers/${id}`)
    await browser.isClean()
  })

  await subtest('a run by the keyboard alone', async () => {
    const { taskId } = await stack.op('POST', 'sync-background', { sellerId: demo })
    const { browser, page } = await open('/jobs')
    const title = `${t('operators.jobs')} · ${t('common.brand')}`
    await waitFor('the name of the tab', async () => (await page.title()) === title)
    ok(true, 'the tab says which page it is')
    const first = page.getByRole('link', { name: pattern('jobs.open', { seller: 'Demo' }) }).first()
    await first.focus()
    await page.keyboard.press('Enter')
    await page.waitForURL(`**/jobs?job=${taskId}`)
    await waitFor('the content', async () => (await focused(page)) === 'content')
    ok(true, 'the keyboard is in the page that it led to')
    await button(page, 'jobs.pause').focus()
    for (const [key, next] of [['pause', 'resume'], ['resume', 'pause']]) {
      await page.keyboard.press('Enter')
      await waitFor(next, async () => (await focused(page)) === t(`jobs.${next}`))
      ok(true, `after ${key} it is at ${next}`)
    }
    await button(page, 'jobs.cancel').focus()
    await page.keyboard.press('Enter')
    await waitFor('the harmless one', async () => (await focused(page)) === t('jobs.cancelNot'))
    await page.keyboard.press('Enter')
    await waitFor('where it was', async () => (await focused(page)) === t('jobs.cancel'))
    ok(/^(?:queued|running|waiting)$/.test((await stack.op('GET', `jobs/${taskId}`)).state), 'it is not cancelled by a question')
    await page.keyboard.press('Enter')
    await waitFor('the harmless one', async () => (await focused(page)) === t('jobs.cancelNot'))
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await waitFor('what can still be done', async () => (await focused(page)) === t('jobs.retryRest'))
    is((await stack.op('GET', `jobs/${taskId}`)).state, 'cancelled', 'and it is cancelled')
    await page.keyboard.press('Enter')
    await page.waitForURL((url) => url.pathname === '/jobs' && !url.href.includes(taskId))
    await waitFor('the content', async () => (await focused(page)) === 'content')
    ok(true, 'again is another page, in which it is')
    await button(page, 'jobs.cancel').click()
    await button(page, 'jobs.cancelThis').click()
    await sees(page.getByText(t('jobs.headCancelled')), 'and by the mouse')
    await browser.isClean()
  })

  await subtest('320 pixels wide, in the dark', async () => {
    const { browser, page } = await open('/analytics?manage=new', { locale: 'ru-RU', width: 320, height: 640, colorScheme: 'dark' })
    await sees(page.getByRole('dialog'), 'a new seller')
    is(await sideways(page), 0, 'nothing to scroll sideways')
    is(await axe(page), [], 'axe finds nothing serious')
    await page.goto(`/analytics?seller=${demo}&manage=seller`)
    const dialog = page.getByRole('dialog')
    await sees(dialog.getByText(t('analytics.token_active', {}, 'ru')), 'what there is to one')
    is(await dialog.evaluate((one) => [...one.querySelectorAll('*')].filter((part) => part.getBoundingClientRect().right > innerWidth + 1).length), 0, 'nothing is cut off')
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'seller-320-dark')
    like(await dialog.innerText(), /Europe\/Moscow/, 'its clock is named')
    await browser.isClean()
  })
}

main()
  .catch((error) => ok(false, `it goes to its end: ${error.stack}`))
  .finally(async () => {
    await closeAll()
    is(stack.stop(), [], 'no worker died of itself')
    done()
  })
