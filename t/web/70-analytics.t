#!/usr/bin/env node
'use strict'

// The operators' pages: a run from the button to its end at an API whose clock runs
// faster, a seller without search texts, and what can be done to a job.

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

const button = (page, key, language) => page.getByRole('button', { name: t(key, {}, language), exact: true })
const run = (page) => page.getByRole('region', { name: t('jobs.run') })
const job = (id) => stack.op('GET', `jobs/${id}`)
const newest = async () => (await stack.op('GET', 'jobs?limit=1')).jobs[0]

async function open(where, how = {}) {
  const browser = await Browser.open(stack, { operator: stack.operator, ...how })
  const page = await browser.tab()
  await page.goto(where)
  return { browser, page }
}

/** Earlier periods of a seller, so that there is a past to draw, behind one of now for each product. */
function givePast(seller, periods) {
  // Runs of two days, one before midnight, would leave two.
  stack.sql(`DELETE FROM product_analytics p USING product_analytics newer
    WHERE p.account_id = ${seller} AND newer.account_id = p.account_id AND newer.nm_id = p.nm_id
      AND (newer.period_end, newer.period_start) > (p.period_end, p.period_start)`)
  const columns = stack.sql(`SELECT string_agg(column_name, ',') FROM information_schema.columns
    WHERE table_name = 'product_analytics' AND is_generated = 'NEVER'`)
  stack.sql(`CREATE TEMP TABLE past AS SELECT p.*, n FROM product_analytics p, generate_series(1, ${periods}) n WHERE account_id = ${seller};
    UPDATE past SET period_start = period_start - n, period_end = period_end - n,
      views = views * (40 - n + (n * n) % 7) / 40, orders = orders * (40 - n + (n * 5) % 9) / 40, revenue = revenue * (40 - n + (n * 5) % 9) / 40;
    INSERT INTO product_analytics (${columns}) SELECT ${columns} FROM past`)
}

let demo
async function main() {
  await stack.sellerSim('POST', '/clock', { factor: FACTOR })

  await subtest('nobody gets in without the dialog', async () => {
    const browser = await Browser.open(stack)
    const page = await browser.tab()
    for (const where of ['/analytics', '/jobs']) {
      const answer = await page.goto(where).catch((error) => error)
      ok(/ERR_INVALID_AUTH_CREDENTIALS/.test(answer.message ?? '') || answer.status?.() === 401, `${where} is not shown`)
    }
    await browser.close()
  })

  await subtest('an operator without a seller', async () => {
    const { browser, page } = await open('/analytics')
    await sees(page.getByText(t('analytics.noSellers')), 'is told so')
    await page.getByRole('link', { name: t('operators.jobs'), exact: true }).click()
    await sees(page.getByText(t('jobs.empty')), 'and that there was no job')
    await browser.isClean()
  })

  await subtest('the page begins a run where there is no data, and shows it to its end', async () => {
    demo = await stack.seller('Demo', stack.SELLER_TOKEN)
    const { browser, page } = await open('/analytics')
    await sees(run(page), 'a run is under way without a click')
    const task = (await newest()).id
    await sees(run(page).getByText(pattern('jobs.headWaiting')), 'it says how long it waits')
    await sees(run(page).getByText(pattern('jobs.reason_api_pace')), '... and why')
    await sees(run(page).getByText(pattern('jobs.callsLeft')), '... and the calls to come')
    await sees(page.getByRole('table').getByText('₽').first(), 'the figures are there before the search texts')
    await sees(run(page).getByText(/[1-9] made/), '... and those that were made')
    await sees(page.getByRole('heading', { name: pattern('analytics.totals', { products: t('analytics.products_other', { n: 438 }) }) }), 'the sums follow')
    await shot(page, 'analytics-running')
    await sees(run(page).getByText(t('jobs.headDone_other', { n: 438 })), 'it ends with all 438', 90)
    is((await job(task)).state, 'done', 'as the server has it')
    is((await stack.op('GET', 'jobs')).jobs.length, 1, 'it was one run')
    await sees(run(page).getByText(pattern('jobs.ofTotal', { n: 44, total: 44 })), 'all 44 batches')
    await sees(page.getByRole('navigation', { name: t('analytics.sellers') }).getByText(pattern('analytics.fresh')), 'the seller is fresh')
    await browser.isClean()
  })

  await subtest('the button starts one, in Russian', async () => {
    const { browser, page } = await open('/analytics', { locale: 'ru-RU' })
    await sees(page.getByRole('table').getByText(t('analytics.status_success', {}, 'ru')).first(), 'the products')
    is((await stack.op('GET', 'jobs')).jobs.length, 1, 'what is fresh is left alone on opening')
    await page.getByRole('button', { name: 'Синхронизировать аналитику' }).click()
    await sees(page.getByText('Фоновая синхронизация запущена!'), 'started')
    await sees(page.getByText(/^Данные будут обновляться в течение \d/), 'and for how long')
    const second = await newest()
    is((await stack.op('GET', 'jobs')).jobs.length, 2, 'a second run')
    await sees(page.getByRole('progressbar'), 'which is shown')
    await page.getByRole('link', { name: t('jobs.toJob', {}, 'ru') }).click()
    await page.waitForURL(`**/jobs?job=${second.id}`)
    await sees(page.getByText(t('jobs.headDone_many', { n: 438 }, 'ru')).or(page.getByText(pattern('jobs.headDone', { n: 438 }, 'ru'))), 'its own page shows the end too', 90)
    await browser.isClean()
  })

  await subtest('what cannot be started says so', async () => {
    const { browser, page } = await open('/analytics', { locale: 'ru-RU' })
    await sees(page.getByRole('table'), 'the products')
    await page.route('**/sync-background', (route) => route.abort())
    await page.getByRole('button', { name: 'Синхронизировать аналитику' }).click()
    await sees(page.getByText('Ошибка запуска синхронизации'), 'it says so')
    await browser.isClean()
  })

  await subtest('the table: sorted, searched, page by page, as a file', async () => {
    const all = (await stack.op('GET', `products?sellerId=${demo}&sort=-views&limit=200`)).products
    const { browser, page } = await open('/analytics')
    await page.getByRole('table').getByRole('button', { name: t('analytics.column_views') }).click()
    await page.waitForURL('**/analytics?sort=-views')
    const ids = async () => (await page.locator('tbody th small').allInnerTexts()).map(Number)
    // Whole: what is first may have been first before.
    const lists = async (from, to, name) => {
      const want = all.slice(from, to).map((one) => one.nmId)
      await waitFor(name, async () => String(await ids()) === String(want)).catch(() => {})
      is(await ids(), want, name)
    }
    await lists(0, 20, 'the twenty most viewed')
    await page.getByRole('button', { name: t('programs.nextPage') }).click()
    await lists(20, 40, 'the next twenty')
    await page.getByLabel(t('analytics.search')).fill(String(all[70].nmId))
    await waitFor('one', async () => (await ids()).length === 1)
    is(await ids(), [all[70].nmId], 'one by its id')
    ok(!/page=/.test(page.url()), 'on the first page')
    const [file] = await Promise.all([page.waitForEvent('download'), button(page, 'analytics.export').click()])
    const text = require('node:fs').readFileSync(await file.path(), 'utf8')
    is(text.trim().split('\n').length, 2, 'the file has what is filtered')
    ok(text.includes(String(all[70].nmId)), '... that one')
    await browser.isClean()
  })

  await subtest('a product: figures, a chart and its search texts', async () => {
    givePast(demo, 21)
    const [first] = (await stack.op('GET', `products?sellerId=${demo}&sort=-revenue&limit=1`)).products
    const { browser, page } = await open('/analytics')
    await page.locator('tbody th button').first().click()
    const drawer = page.getByRole('dialog', { name: t('analytics.details') })
    await sees(drawer.getByRole('heading', { name: first.title }), 'the first of the table')
    ok(page.url().includes(`product=${first.nmId}`), 'it has an address')
    const chart = drawer.getByRole('img')
    like(await chart.locator('title').first().textContent(), pattern('analytics.chartOf', { n: 22 }), 'the chart says in words what it shows')
    is(await chart.locator('circle').count(), 22, 'a point for each period')
    await drawer.getByLabel(t('analytics.figure')).selectOption('views')
    await drawer.getByText(t('analytics.chartTable')).click()
    is(await drawer.locator('details tbody tr').count(), 22, 'and the same as a table')
    ok((await drawer.locator('details tbody tr').first().innerText()).includes(first.views.toLocaleString('en')), 'newest first')
    await sees(drawer.getByText(first.topSearchQueries[0].query, { exact: true }), 'the search texts')
    is(await axe(page), [], 'axe finds nothing serious')
    await drawer.getByText(t('analytics.chartTable')).click()
    await shot(page, 'analytics-product')
    await page.keyboard.press('Escape')
    await drawer.waitFor({ state: 'hidden' })
    // Where nights are missing the line does not go on as if they were not.
    stack.sql(`DELETE FROM product_analytics p WHERE account_id = ${demo} AND nm_id = ${first.nmId}
      AND (SELECT max(period_end) FROM product_analytics WHERE account_id = p.account_id AND nm_id = p.nm_id) - period_end BETWEEN 3 AND 7`)
    await page.goto(`/analytics?seller=${demo}&product=${first.nmId}`)
    await sees(drawer.getByRole('figure'), 'the chart, with five nights less')
    is(await chart.locator('circle').count(), 17, 'a point for each that is left')
    is((await drawer.getByRole('figure').locator('path').getAttribute('d')).match(/M/g).length, 2, 'and a gap for those that are not')
    const xs = await chart.locator('circle').evaluateAll((all) => all.map((one) => Number(one.getAttribute('cx'))))
    ok(Math.abs(xs.at(-3) - xs.at(-4) - 6 * (xs.at(-1) - xs.at(-2))) < 0.5, '... as wide as they are long')
    await browser.isClean()
  })

  await subtest('a seller without Jam: figures without search texts, and it says why', async () => {
    const { token } = await stack.sellerSim('POST', '/sellers', { name: 'plain', products: 12, jam: 'none' })
    const id = await stack.seller('Plain', token)
    const { browser, page } = await open(`/analytics?seller=${id}`)
    await sees(run(page).getByText(`${t('jobs.headPartial')}. ${t('analytics.error_no_jam')}`), 'the run ends in part, and says why', 60)
    const nav = page.getByRole('navigation', { name: t('analytics.sellers') })
    await sees(nav.getByText(t('analytics.noJam')), 'the seller says why')
    is(await nav.getByRole('link').count(), 2, 'both sellers are there')
    await waitFor('all in part', async () => (await page.getByRole('table').getByText(t('analytics.status_partial'), { exact: true }).count()) === 12)
    await page.locator('tbody th button').first().click()
    await sees(page.getByRole('dialog').getByText(t('analytics.error_no_jam')), 'and so does a product')
    await page.keyboard.press('Escape')
    await sees(run(page).getByRole('button', { name: t('jobs.retryFailed') }), 'what failed can be tried again')
    await nav.getByRole('link', { name: /Demo/ }).click()
    await sees(page.getByText('438 products').first(), 'the other one is a click away')
    await browser.isClean()
  })

  await subtest('a job: paused, resumed, cancelled, run again', async () => {
    await stack.op('POST', 'sync-background', { sellerId: demo })
    const { browser, page } = await open('/jobs')
    const before = await newest()
    await page.getByRole('link', { name: pattern('jobs.open', { seller: 'Demo' }) }).first().click()
    await page.waitForURL(`**/jobs?job=${before.id}`)
    await button(page, 'jobs.pause').click()
    await sees(run(page).getByText(pattern('jobs.reason_by_hand')), 'paused, and by whom')
    is((await job(before.id)).state, 'paused', '... at the server too')
    await shot(page, 'job-paused')
    is(await axe(page), [], 'axe finds nothing serious')
    await button(page, 'jobs.resume').click()
    await sees(button(page, 'jobs.pause'), 'it goes on')
    await waitFor('it to go on', async () => /^(?:queued|running|waiting)$/.test((await job(before.id)).state))
    ok(true, '... at the server too')
    await button(page, 'jobs.cancel').click()
    const question = page.getByRole('dialog', { name: t('jobs.cancelSure') })
    await sees(question, 'it is asked before it is cancelled')
    is(await axe(page), [], 'axe finds nothing serious')
    ok((await job(before.id)).state !== 'cancelled', 'and not before the answer')
    await button(question, 'jobs.cancelThis').click()
    await sees(run(page).getByText(t('jobs.headCancelled')), 'cancelled')
    is((await job(before.id)).state, 'cancelled', '... at the server too')
    is((await stack.op('GET', `products?sellerId=${demo}&limit=1`)).totals.withData, 438, 'what was there is kept')
    await button(page, 'jobs.retry').click()
    await page.waitForURL((url) => !url.href.includes(before.id))
    const next = await newest()
    ok(page.url().includes(next.id) && next.id !== before.id, 'again is another job')
    await sees(run(page).getByText(t('jobs.headDone_other', { n: 438 })), 'which goes to its end', 90)
    await page.getByRole('link', { name: t('jobs.back') }).click()
    await sees(page.getByRole('table').getByText(t('operators.state_cancelled')), 'the list has both')
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'jobs')
    await browser.isClean()
  })

  await subtest('320 pixels wide, in the dark', async () => {
    const { browser, page } = await open(`/analytics?seller=${demo}`, { width: 320, height: 640, colorScheme: 'dark' })
    await sees(page.getByRole('list', { name: t('analytics.table') }), 'the products are cards')
    is(await sideways(page), 0, 'nothing to scroll sideways')
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'analytics-320-dark')
    await page.getByRole('list', { name: t('analytics.table') }).getByRole('button').first().click()
    await sees(page.getByRole('dialog').getByRole('img'), 'the chart fits too')
    is(await page.getByRole('dialog').evaluate((one) => [...one.querySelectorAll('*')].filter((part) => part.getBoundingClientRect().right > innerWidth + 1).length), 0, 'nothing is cut off')
    await page.goto('/jobs')
    await sees(page.getByRole('link', { name: pattern('jobs.open', { seller: 'Demo' }) }), 'the jobs')
    is(await sideways(page), 0, 'nothing to scroll sideways')
    await page.goto(`/jobs?job=${(await newest()).id}`)
    await sees(run(page), 'one of them')
    is(await sideways(page), 0, 'nothing to scroll sideways')
    is(await axe(page), [], 'axe finds nothing serious')
    await browser.isClean()
  })

  await subtest('in the light of day, and in all languages, nothing overflows', async () => {
    for (const locale of ['en-US', 'uk-UA', 'ru-RU']) {
      const { browser, page } = await open(`/analytics?seller=${demo}`, { locale })
      await sees(page.getByRole('table').locator('tbody tr'), `${locale}: the products`)
      is(await sideways(page), 0, '... fit')
      is(await axe(page), [], '... axe finds nothing serious')
      if (locale === 'en-US') await shot(page, 'analytics')
      if (locale === 'ru-RU') {
        const table = page.getByRole('region', { name: t('analytics.table', {}, 'ru'), exact: true })
        const fades = () => table.evaluate((one) => [...one.querySelectorAll('tr > :last-child')].map((cell) => getComputedStyle(cell, '::before').opacity))
        ok(await table.evaluate((one) => one.scrollWidth > one.clientWidth), '... the table is wider than its place')
        is([...new Set(await fades())], ['1'], '... and fades at its edge')
        await table.evaluate((one) => one.scrollTo(one.scrollWidth, 0))
        await waitFor('the end', async () => (await fades()).every((opacity) => opacity === '0')).catch(() => {})
        is([...new Set(await fades())], ['0'], '... not where it ends')
        await page.setViewportSize({ width: 1920, height: 800 })
        await waitFor('room', async () => table.evaluate((one) => one.scrollWidth <= one.clientWidth))
        is([...new Set(await fades())], ['0'], '... nor where all of it is seen')
      }
      await browser.isClean()
    }
  })
}

main()
  .catch((error) => ok(false, `it goes to its end: ${error.stack}`))
  .finally(async () => {
    await closeAll()
    is(stack.stop(), [], 'no worker died of itself')
    done()
  })
