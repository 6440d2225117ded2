#!/usr/bin/env node
'use strict'

// The sync as a person sees it: by itself when the page opens, in a second tab, over
// reloads, lost connections and killed processes, and when the partner makes trouble.

const { Browser, axe, barNow, closeAll, needBrowser, pattern, sees, shot, signIn, t } = require('../lib/web/browser.js')
const { Stack, sleep, slow, waitFor } = require('../lib/web/stack.js')
const { done, is, like, ok, subtest } = require('../lib/web/tap.js')

needBrowser()
const stack = Stack.start({ latency: 20, conf: { 'jobs.workers': 2 } })

const PAGE = 40	// of the partner's
const PROGRAMS = 30 * PAGE
let accounts = 0

/** A login of its own for a test, with so many programs. */
async function account(programs = PROGRAMS) {
  const user = `person-${++accounts}`
  await stack.account(user, { programs, businesses: Math.max(1, Math.floor(programs / 20)) })
  return [user, `${user}-password`]
}

/**
 * Has the partner keep each page after the first eight until it is healed: the middle of
 * a sync comes at once, and lasts for as long as it takes to do something in it.
 */
async function holds([user], from = 8) {
  await stack.hold({ user, path: 'programs', offset: [from * PAGE, PROGRAMS] })
}

/** The page with that login. */
async function open(login, how = {}) {
  const browser = await Browser.open(stack, how)
  const page = await browser.tab()
  await page.goto('/login')
  await signIn(page, login, { stay: true, ...how })
  await page.waitForURL('**/programs*')
  return { browser, page }
}

const bar = (page) => page.getByRole('progressbar')
const headline = async (page) => (await bar(page).getAttribute('aria-valuetext').catch(() => null)) ?? ''
const percent = async (page) => Number((await bar(page).getAttribute('aria-valuenow', { timeout: 2000 }).catch(() => null)) ?? -1)

/** That the bar comes to say so in that colour; what it says then, or said instead. */
async function turns(page, colour, pattern, name, seconds = 60) {
  let seen = await barNow(page)
  await waitFor(name, async () => {
    const now = await barNow(page)
    if (now.text) seen = now
    return pattern.test(seen.text) && seen.tone === colour
  }, seconds).catch(() => {})
  like(seen.text, pattern, name)
  is(seen.tone, colour, `... in ${colour}`)
  return seen.text
}

const isGreen = (page, name, seconds) => turns(page, 'green', /✅/u, name, seconds)

/** What the bar says once it says that. */
async function says(page, pattern, seconds = 60) {
  let text = ''
  await waitFor(`${pattern}`, async () => {
    text = await headline(page)
    return pattern.test(text)
  }, seconds)
  return text
}

/**
 * Has the page write down in window.seen what its bar shows, change by change, and in
 * window.green and window.gone when it turned green and when it went.
 */
async function record(page) {
  await page.evaluate(() => {
    window.seen = []
    new MutationObserver(() => {
      const one = document.querySelector('[role=progressbar]')
      if (/✅/u.test(one?.getAttribute('aria-valuetext') ?? '')) window.green ??= performance.now()
      if (!one && window.green !== undefined) window.gone ??= performance.now()
    }).observe(document.body, { subtree: true, childList: true, attributes: true })
    setInterval(() => {
      const one = document.querySelector('[role=progressbar]')
      if (!one) return
      const now = {
        percent: one.getAttribute('aria-valuenow'),
        text: one.getAttribute('aria-valuetext') ?? '',
        shown: one.parentElement.innerText,
        tone: getComputedStyle(one.firstElementChild).backgroundColor,
      }
      if (JSON.stringify(now) !== JSON.stringify(window.seen.at(-1))) window.seen.push(now)
    }, 20)
  })
}

async function inTheMiddle(page, least = 10) {
  let at = -1
  await waitFor(`${least} %`, async () => {
    at = await percent(page)
    return at >= least
  }, 60)
  ok(at < 100, `in the middle, at ${at} %`)
  return at
}

/** What the registry has is what the partner has, told by one job or so many. */
async function isWhole(login, jobs = 1) {
  const have = (await stack.api('GET', '/api/reseller/business-ids', login)).json.businesses
    .reduce((n, one) => n + one.program_count, 0)
  is(have, (await stack.truth(login[0])).total, 'the registry has what the partner has')
  is((await stack.jobs(login)).length, jobs, jobs === 1 ? 'it was one job' : `it took ${jobs} jobs`)
}

async function main() {
  await subtest('the first sync begins by itself, moves, and ends green', async () => {
    const login = await account()
    await stack.latency(2000)
    // All but the check of the login waits until somebody looks.
    const held = await stack.hold({ user: login[0], path: 'programs', after_calls: 1 })
    const { browser, page } = await open(login)
    await record(page)
    await stack.release(held)
    await inTheMiddle(page, 20)
    await sees(page.getByText(pattern('sync.left')), 'the time left')
    await shot(page, 'sync-running')
    like(await isGreen(page, 'done', 90), pattern('sync.synced', { n: PROGRAMS }), 'with the number of new ones')
    await shot(page, 'sync-done')
    await bar(page).waitFor({ state: 'hidden' })
    ok((await page.evaluate(() => window.gone - window.green)) > 2500, 'it stays for a while, and goes by itself')

    const seen = await page.evaluate(() => window.seen)
    const at = seen.filter((one) => !/[✅❌]/u.test(one.text) && one.percent !== null).map((one) => Number(one.percent))
    ok(seen.some((one) => pattern('sync.found', { n: PROGRAMS }).test(one.text)), `said "${t('sync.found_other', { n: PROGRAMS })}"`)
    ok(seen.some((one) => pattern('sync.progress', { total: PROGRAMS }).test(one.text)), 'then how far it was')
    ok(seen.some((one) => /\d+ %/.test(one.shown)), 'with the percent')
    ok(seen.some((one) => pattern('sync.progress', { total: PROGRAMS }).test(one.shown)), 'the counts')
    ok(seen.every((one) => !pattern('sync.progress').test(one.shown) || !pattern('sync.counts').test(one.shown)), '... and once')
    ok(seen.some((one) => pattern('sync.left').test(one.shown)), 'and the time that was left')
    ok(new Set(at).size >= 5, `it moved: ${[...new Set(at)].join(' ')}`)
    is(at, [...at].sort((one, other) => one - other), 'and never back')
    is([...new Set(seen.filter((one) => one.percent !== null && !/[✅❌]/u.test(one.text)).map((one) => one.tone))].length, 1, 'in one colour')
    await isWhole(login)
    await browser.isClean()
    await stack.latency(20)
  })

  await subtest('nothing new: already up to date', async () => {
    const login = await account(80)
    await stack.sync(login)
    const { browser, page } = await open(login)
    is(await isGreen(page, 'green at once'), t('sync.upToDate'), 'and says so')
    await shot(page, 'sync-up-to-date')
    await holds(login, 1)
    await page.getByRole('button', { name: t('sync.button') }).click()
    await waitFor('the check', async () => pattern('sync.checking', { total: 80 }).test(await headline(page)))
    ok(true, 'by hand it reads all, and says that it expects no news')
    await stack.heal()
    await isGreen(page, 'and finds none')
    await browser.isClean()
  })

  await subtest('a second tab joins, a reload finds the truth', async () => {
    const login = await account()
    await holds(login)
    const { browser, page } = await open(login)
    await inTheMiddle(page)
    const other = await open(login)
    await bar(other.page).waitFor()
    const there = await percent(page)
    await waitFor('the other tab to catch up', async () => (await percent(other.page)) >= there, 20)
    ok(true, 'a second browser shows the same sync')
    const before = await percent(page)
    await page.reload()
    await waitFor('the bar after the reload', async () => (await percent(page)) >= before, 20)
    ok(true, `loaded again it is where it was, ${before} %, or further`)
    await page.goto('about:blank')
    await page.goto('/programs')
    await bar(page).waitFor()
    ok((await headline(page)) !== '', 'left and come back, it is there')
    await stack.heal()
    // Both at once: green goes away by itself.
    await Promise.all([page, other.page].map((each) => says(each, /✅/u)))
    ok(true, 'both end green')
    await isWhole(login)
    await other.browser.isClean()
    await browser.isClean()
  })

  await subtest('kill -9 of stream: the bar resumes', async () => {
    const login = await account()
    await holds(login)
    const { browser, page } = await open(login)
    const before = await inTheMiddle(page)
    const killed = await stack.kill('stream')
    is(killed.length, 1, 'stream is dead')
    await waitFor('the page to come back', async () => (await stack.workers('stream')).some((one) => !killed.includes(one.pid) && one.clients > 0), 40)
    await stack.heal()
    await waitFor('the bar to move on', async () => (await percent(page)) > before, 40)
    ok(true, 'the bar moves on')
    await isGreen(page, 'to its end')
    await isWhole(login)
    await browser.isClean()
  })

  await subtest('kill -9 of every jobs worker: the sync goes on where it was', async () => {
    const login = await account()
    await holds(login)
    const { browser, page } = await open(login)
    const before = await inTheMiddle(page, 20)
    ok((await stack.kill('jobs')).length >= 1, 'they are dead')
    await stack.heal()
    await waitFor('the bar to move on', async () => (await percent(page)) > before, 60)
    ok(true, 'the bar moves on')
    like(await isGreen(page, 'to its end', 90), pattern('sync.synced', { n: PROGRAMS }), 'with every program counted once')
    await isWhole(login)
    await browser.isClean()
  })

  await subtest('the network goes away and comes back', async () => {
    const login = await account()
    await holds(login)
    const { browser, page } = await open(login)
    await inTheMiddle(page)
    await stack.stopPart('nginx', '--kill')
    await sees(page.getByText(pattern('sync.lost')).or(page.getByText(t('sync.reconnecting'))), 'the page says that the line is lost', 40)
    await shot(page, 'sync-lost')
    is(await axe(page), [], 'axe finds nothing serious')
    await stack.startPart('nginx')
    await stack.heal()
    await isGreen(page, 'it finds back and comes to its end', 90)
    await isWhole(login)
    await browser.isClean()
  })

  await subtest('the partner makes us wait: amber, with the time', async () => {
    const login = await account()
    await stack.fault({ kind: '429', user: login[0], path: 'programs', after_calls: 8, times: 1, retry_after: 16 })
    const { browser, page } = await open(login)
    like(await turns(page, 'amber', pattern('sync.waiting'), 'it waits', 30), /\d{1,2}:\d\d:\d\d/, 'says when it goes on')
    await sees(page.getByText(pattern('sync.waitingIn')), 'and in how long')
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'sync-waiting')
    await isGreen(page, 'and it goes on by itself', 60)
    await isWhole(login)
    await stack.heal()
    await browser.isClean()
  })

  await subtest('a part cannot be read: red, with the reason, and again', async () => {
    const login = await account(400)
    await stack.fault({ kind: '500', user: login[0], path: 'programs', offset: 200 })
    const { browser, page } = await open(login)
    is(await turns(page, 'red', /❌/u, 'it has not gone well', 120), t('sync.partial'), 'not everything was read')
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'sync-partial')
    await stack.heal()
    await page.getByRole('button', { name: t('sync.tryAgain') }).click()
    await isGreen(page, 'tried again, it is whole', 60)
    await isWhole(login, 2)
    await browser.isClean()
  })

  await subtest('the partner answers 500 to everything: red, with the reason, and again', async () => {
    const login = await account(400)
    // The first call is the check of the login.
    await stack.fault({ kind: '500', user: login[0], path: 'programs', after_calls: 1 })
    const { browser, page } = await open(login)
    is(await turns(page, 'red', /❌/u, 'it has not gone well', 120), t('sync.failed', { reason: t('errors.partner_error') }), 'with the reason')
    await shot(page, 'sync-failed')
    await stack.heal()
    await page.getByRole('button', { name: t('sync.tryAgain') }).click()
    await isGreen(page, 'tried again, it is green', 60)
    await isWhole(login, 2)
    await browser.isClean()
  })

  await subtest('the partner refuses the login in mid-sync: the form, then on', async () => {
    const login = await account()
    await holds(login)
    const { browser, page } = await open(login)
    await inTheMiddle(page)
    await stack.sim('POST', '/accounts/password', { user: login[0], password: 'another' })
    await stack.heal()
    const again = page.getByRole('dialog', { name: t('login.again') })
    await again.waitFor({ timeout: 60_000 * slow })
    ok(true, 'the form comes over the page')
    await shot(page, 'sync-login-refused')
    await again.getByLabel(t('login.password'), { exact: true }).fill('another')
    await again.getByRole('button', { name: t('login.submit'), exact: true }).click()
    await again.waitFor({ state: 'hidden' })
    const retry = page.getByRole('button', { name: t('sync.tryAgain') })
    await waitFor('an end or a way on', async () => /✅/u.test(await headline(page)) || (await retry.isVisible()), 60)
    // By itself it goes on too, and then there is nothing to click on any more.
    if (await retry.isVisible()) await retry.click({ timeout: 2000 * slow }).catch(() => {})
    await isGreen(page, 'with the new password it comes to its end', 60)
    await isWhole([login[0], 'another'], (await stack.jobs([login[0], 'another'])).length)
    await browser.isClean()
  })

  await subtest('a long sync that somebody else starts is shown on an open page', async () => {
    const login = await account()
    const { browser, page } = await open(login)
    await isGreen(page, 'its own first')
    await bar(page).waitFor({ state: 'hidden' })
    await stack.edit({ user: login[0], op: 'add', n: 5 })
    await holds(login)
    const answer = stack.api('POST', '/api/reseller/programs/sync?mode=full', login)
    // Coming back to a tab is when a person looks.
    await waitFor('the bar', async () => {
      await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })))
      return bar(page).isVisible()
    })
    ok(true, 'the bar appears')
    await stack.heal()
    is((await answer).json.added, 5, 'five are new')
    await isGreen(page, 'and it ends green')
    await browser.isClean()
  })

  await subtest('it can be cancelled', async () => {
    const login = await account()
    await holds(login)
    const { browser, page } = await open(login)
    await inTheMiddle(page)
    await page.getByRole('button', { name: t('sync.cancel') }).click()
    await waitFor('the cancelling', async () => (await headline(page)) === t('sync.cancelled'), 30)
    is((await stack.jobs(login))[0].state, 'cancelled', 'it is')
    await stack.heal()
    await page.getByRole('button', { name: t('sync.tryAgain') }).click()
    await isGreen(page, 'and tried again')
    await isWhole(login, 2)
    await browser.isClean()
  })

  await subtest('who hears the page hears it too', async () => {
    const login = await account()
    await holds(login)
    const { browser, page } = await open(login)
    await bar(page).waitFor()
    is(await bar(page).getAttribute('aria-label'), t('sync.title'), 'the bar has a name')
    is(await bar(page).getAttribute('aria-valuemax'), '100', 'and a range')
    const heard = new Set()
    const hears = (what, wanted) => waitFor(what, async () => {
      for (const text of await page.getByRole('status').allInnerTexts()) heard.add(text.trim())
      return [...heard].some((text) => wanted.test(text))
    }, 60)
    await hears('progress to be said', pattern('sync.announceProgress'))
    ok(true, 'how far it is')
    await stack.heal()
    await hears('the end to be said', /✅/u)
    ok(true, 'and that it has ended')
    ok(heard.size <= 10, `not each page of it: ${heard.size} texts`)
    await browser.isClean()
  })

  await subtest('in Ukrainian and in Russian', async () => {
    for (const [locale, language, moving, ended] of [
      ['uk-UA', 'uk', /Синхронізація програм\.\.\. \d+\/1200/u, /✅ Синхронізовано 1200 програм/u],
      ['ru-RU', 'ru', pattern('sync.progress', { total: PROGRAMS }, 'ru'), pattern('sync.synced', { n: PROGRAMS }, 'ru')],
    ]) {
      const login = await account()
      await holds(login)
      const browser = await Browser.open(stack, { locale })
      const page = await browser.tab()
      await page.goto('/login')
      await sees(page.locator(`html[lang=${language}]`).getByRole('heading', { name: t('login.title', {}, language) }), `${language}: the browser's choice`)
      await page.getByLabel(t('login.user', {}, language), { exact: true }).fill(login[0])
      await page.getByLabel(t('login.password', {}, language), { exact: true }).fill(login[1])
      await page.getByRole('button', { name: t('login.submit', {}, language), exact: true }).click()
      ok(true, `it says ${await says(page, moving)}`)
      await shot(page, `sync-running-${language}`)
      await stack.heal()
      like(await says(page, /✅/u), ended, 'and at the end')
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
