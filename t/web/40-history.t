#!/usr/bin/env node
'use strict'

// The history of syncs: what each added, changed and removed, how long it took, why one
// failed; cancelling and trying again from there.

const { Browser, axe, closeAll, needBrowser, pattern, sees, shot, sideways, signIn, t } = require('../lib/web/browser.js')
const { Stack, waitFor } = require('../lib/web/stack.js')
const { done, is, like, ok, subtest } = require('../lib/web/tap.js')

needBrowser()
const stack = Stack.start({ latency: 20, conf: { 'jobs.workers': 2 } })

const login = ['historian', 'historian-password']
const sync = (query = '') => stack.api('POST', `/api/reseller/programs/sync${query}`, login)

const drawer = (page) => page.getByRole('dialog', { name: t('history.title') })
const entries = (page) => drawer(page).getByRole('listitem').filter({ has: page.locator('time') })

async function open(how) {
  const browser = await Browser.open(stack, how)
  const page = await browser.tab()
  await page.goto('/login')
  await signIn(page, login, { stay: true })
  await page.waitForURL('**/programs*')
  return { browser, page }
}

async function main() {
  await stack.account('historian', { programs: 400, businesses: 20 })

  await subtest('an account without a sync', async () => {
    await stack.account('beginner', { programs: 40, businesses: 2 })
    await stack.hold({ user: 'beginner', path: 'programs', after_calls: 1 })
    const browser = await Browser.open(stack)
    const page = await browser.tab()
    await page.goto('/login')
    await signIn(page, ['beginner', 'beginner-password'])
    await page.waitForURL('**/programs*')
    await page.getByRole('link', { name: t('common.history') }).click()
    await drawer(page).waitFor()
    await sees(entries(page), 'has the one that runs, as soon as there is one')
    like(await entries(page).first().innerText(), new RegExp(`${t('history.state_queued')}|${t('history.state_running')}`, 'i'), 'and says that it runs')
    await stack.heal()
    await browser.isClean()
  })

  await subtest('each with what it did', async () => {
    is((await sync()).json.added, 400, 'the first sync')
    await stack.edit({ user: 'historian', op: 'add', n: 5 })
    await stack.edit({ user: 'historian', op: 'change', n: 3, field: 'budget', pick: 'last' })
    await stack.edit({ user: 'historian', op: 'remove', n: 2, pick: 'last' })
    const second = (await sync('?mode=full')).json
    is(second.added, 5, 'the second')
    const job = (await stack.jobs(login))[0]
    await stack.fault({ kind: '500', user: 'historian', path: 'programs', offset: 200 })
    is((await sync('?mode=full')).json.status, 'partial', 'the third, with a part missing')
    await stack.heal()

    const { browser, page } = await open()
    await waitFor('its own sync to end', async () => !(await stack.jobs(login)).some((one) => /queued|running/.test(one.state)), 40)
    await page.getByRole('link', { name: t('common.history') }).click()
    await drawer(page).waitFor()
    like(page.url(), /#history$/, 'it has an address')
    await waitFor('four of them', async () => (await entries(page).count()) === (await stack.jobs(login)).length)
    const texts = await entries(page).allInnerTexts()
    const of = (text) => texts.find((one) => one.includes(text)) ?? ''
    like(of('400'), pattern('sync.added', { n: 400 }), 'the first: 400 new')
    const told = texts.find((one) => pattern('sync.added', { n: 5 }).test(one) && pattern('sync.updated').test(one)) ?? ''
    ok(told !== '', 'the second: five new')
    like(told, pattern('sync.updated', { n: job.counts.updated }), `${job.counts.updated} updated`)
    like(told, pattern('sync.removed', { n: job.counts.removed }), `${job.counts.removed} removed`)
    is(job.counts.removed, 2, 'as many as were taken away')
    like(told, pattern('history.took'), 'and how long it took')
    const partial = texts.find((one) => one.toUpperCase().includes(t('history.state_partial').toUpperCase())) ?? ''
    like(partial, pattern('history.read', { total: 403 }), 'the third: how much was read')
    ok(partial.includes(t('errors.partner_error')), 'and why not all')
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'history')
    await page.keyboard.press('Escape')
    await drawer(page).waitFor({ state: 'hidden' })
    const there = () => page.evaluate(() => document.activeElement.getAttribute('aria-label'))
    await waitFor('the keyboard', async () => (await there()) === t('common.history'))
    ok(true, 'and the keyboard is where it was')
    await page.goBack().catch(() => {})
    await browser.isClean()
  })

  await subtest('cancelled and tried again from there', async () => {
    const before = (await stack.jobs(login)).length
    const { browser, page } = await open()
    await waitFor('its own sync to end', async () => {
      const jobs = await stack.jobs(login)
      return jobs.length > before && !jobs.some((one) => /queued|running/.test(one.state))
    }, 40)
    await stack.hold({ user: 'historian', path: 'programs' })
    await page.getByRole('button', { name: t('sync.button') }).click()
    await page.getByRole('link', { name: t('common.history') }).click()
    await drawer(page).waitFor()
    const running = entries(page).first()
    await running.getByRole('button', { name: t('history.cancel'), exact: true }).click()
    await waitFor('it to be cancelled', async () => (await stack.jobs(login))[0].state === 'cancelled', 30)
    await sees(entries(page).first().getByText(t('history.state_cancelled')), 'the list says so')
    const cancelled = (await stack.jobs(login))[0].id
    await stack.heal()
    await entries(page).first().getByRole('button', { name: t('history.retry'), exact: true }).click()
    await waitFor('it to be done', async () => (await stack.jobs(login))[0].state === 'done', 60)
    ok(true, 'tried again, it is done')
    ok((await stack.jobs(login)).some((one) => one.id === cancelled), 'and the history keeps what was')
    await sees(entries(page).first().getByText(t('history.state_done')), 'the list says that too')
    await browser.isClean()
  })

  await subtest('320 pixels wide', async () => {
    const { browser, page } = await open({ width: 320, height: 640, colorScheme: 'dark' })
    await page.getByRole('link', { name: t('common.history') }).click()
    await sees(entries(page), 'it is there')
    is(await sideways(page), 0, 'nothing to scroll sideways')
    const over = await drawer(page).evaluate((one) => [...one.querySelectorAll('*')].filter((part) => part.getBoundingClientRect().right > innerWidth + 1).length)
    is(over, 0, 'and nothing is cut off')
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'history-320-dark')
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
