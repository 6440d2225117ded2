#!/usr/bin/env node
'use strict'

// The page in its rarer states: empty for four reasons, out of date, changed by others,
// very full, very narrow, in the dark.

const { axe, closeAll, needBrowser, pattern, sees, shot, sideways, t } = require('../lib/web/browser.js')
const { Stack, waitFor } = require('../lib/web/stack.js')
const { list, open, rows, table, total, totalBecomes } = require('../lib/web/table.js')
const { done, is, like, ok, subtest } = require('../lib/web/tap.js')

needBrowser()
const stack = Stack.start({ latency: 5, conf: { 'jobs.workers': 2 } })

async function account(user, what) {
  await stack.account(user, what)
  return [user, `${user}-password`]
}

const quiet = (page) => waitFor('quiet', async () => !(await page.getByRole('progressbar').isVisible()), 60)

/** What of the page reaches over its right edge and cannot be scrolled to. */
async function cutOff(page) {
  return page.evaluate(() => {
    const inScroller = (one) => {
      for (let at = one.parentElement; at; at = at.parentElement) {
        if (/auto|scroll/.test(getComputedStyle(at).overflowX)) return true
      }
      return false
    }
    return [...document.querySelectorAll('button, a, input, select, [role=combobox], [tabindex="0"]')]
      .filter((one) => one.checkVisibility({ visibilityProperty: true }))
      .filter((one) => {
        const box = one.getBoundingClientRect()
        return box.width > 1 && (box.right > innerWidth + 1 || box.left < -1) && !inScroller(one)
      })
      .map((one) => one.getAttribute('aria-label') ?? one.innerText ?? one.tagName)
  })
}

async function main() {
  await subtest('empty: syncing for the first time', async () => {
    const login = await account('first', { programs: 200, businesses: 10 })
    await stack.hold({ user: 'first', path: 'programs', after_calls: 1 })
    const { browser, page } = await open(stack, login)
    await sees(page.getByText(t('sync.emptySyncingTitle')), 'the first programs are on their way')
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'empty-syncing')
    await stack.heal()
    is(await (async () => { await waitFor('rows', async () => (await rows(page).count()) === 20, 60); return totalBecomes(page, 200) })(), 200, 'and then they are there, without a reload')
    await browser.isClean()
  })

  await subtest('empty: never synced', async () => {
    const login = await account('never', { programs: 200, businesses: 10 })
    await stack.fault({ kind: '400', user: 'never', path: 'programs', after_calls: 1 })
    const { browser, page } = await open(stack, login)
    await sees(page.getByText(t('sync.emptyNeverTitle')), 'nothing has been synced yet', 60)
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'empty-never')
    await stack.heal()
    await page.getByRole('button', { name: t('sync.syncNow') }).click()
    is(await totalBecomes(page, 200), 200, 'a click brings them')
    await browser.isClean()
  })

  await subtest('empty: nothing matches', async () => {
    const login = await account('match', { programs: 60, businesses: 5 })
    await stack.sync(login)
    const { browser, page } = await open(stack, login, { address: '/programs?q=zzzzzz' })
    await sees(page.getByText(t('sync.emptyMatchTitle')), 'no program matches')
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'empty-match')
    await page.getByRole('button', { name: t('sync.emptyMatchClear') }).click()
    is(await totalBecomes(page, 60), 60, 'cleared with one click')
    await browser.isClean()
  })

  await subtest('empty: the account has none', async () => {
    const { browser, page } = await open(stack, ['p0', 'pw'])
    await sees(page.getByText(t('sync.emptyNoneTitle')), 'this account has no programs')
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'empty-none')
    await browser.isClean()
  })

  await subtest('out of date: failed, partial, and old', async () => {
    const login = await account('stale', { programs: 400, businesses: 10 })
    await stack.sync(login)
    const note = (page) => page.getByRole('region', { name: t('sync.staleTitle') })

    // The first call is the check of the login.
    await stack.fault({ kind: '400', user: 'stale', path: 'programs', after_calls: 1 })
    const { browser, page } = await open(stack, login)
    await page.getByRole('progressbar').waitFor()
    await page.getByRole('button', { name: t('sync.dismiss') }).click({ timeout: 60_000 })
    await sees(note(page), 'after a failed sync there is a note')
    like(await note(page).innerText(), pattern('sync.staleFailed'), '... with the reason')
    await waitFor('rows', async () => (await rows(page).count()) === 20).catch(() => {})
    is(await rows(page).count(), 20, '... over the rows of before')
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'stale-failed')
    await stack.heal()

    await stack.fault({ kind: '500', user: 'stale', path: 'programs', offset: 200 })
    await note(page).getByRole('button', { name: t('sync.syncNow') }).click()
    await page.getByRole('button', { name: t('sync.dismiss') }).click({ timeout: 90_000 })
    await sees(note(page).getByText(pattern('sync.stalePartial')), 'after a partial one it says that')
    await stack.heal()
    await note(page).getByRole('button', { name: t('sync.syncNow') }).click()
    await note(page).waitFor({ state: 'hidden' })
    await quiet(page)
    is(await note(page).count(), 0, '"Sync now" makes it whole')
    await browser.isClean()

    // A page that stays open for two hours, without a sync meanwhile.
    const other = await open(stack, login)
    await quiet(other.page)
    is(await note(other.page).count(), 0, 'a fresh page has no note')
    await other.browser.close()
    const long = await open(stack, login, { clock: true })
    await quiet(long.page)
    await long.page.clock.fastForward('02:00:00')
    await sees(note(long.page).getByText(pattern('sync.staleAge')), 'after two hours it has', 40)
    await shot(long.page, 'stale-age')
    await long.browser.isClean()
  })

  await subtest('changed by others: an open page follows by itself', async () => {
    const login = await account('shared', { programs: 40, businesses: 4 })
    await stack.sync(login)
    const one = await open(stack, login)
    const two = await open(stack, login)
    for (const { page } of [one, two]) {
      await totalBecomes(page, 40)
      await quiet(page)
    }
    const row = rows(one.page).first()
    await row.getByRole('button', { name: pattern('programs.rename') }).click()
    await row.getByRole('textbox').fill('From the other tab')
    await one.page.keyboard.press('Enter')
    await sees(two.page.getByRole('rowheader').getByText('From the other tab'), 'a name given in another tab')
    await stack.edit({ user: 'shared', op: 'add', n: 3 })
    await stack.sync(login)
    is(await totalBecomes(two.page, 43), 43, 'a sync that nobody here started')
    is(await totalBecomes(one.page, 43), 43, '... in both')
    await one.browser.isClean()
    await two.browser.isClean()
  })

  await subtest('names from the partner that try something', async () => {
    const login = await account('hostile', { programs: 12, businesses: 3 })
    const ids = [...new Set((await stack.truth('hostile')).programs.flatMap((each) => each.businesses.map((b) => b.yelp_business_id)))]
    const names = ['<script>window.hacked=1</script><img src=x onerror=window.hacked=1>', '\u202eevil \u200f مطعم \u202d name', `Zoë’s & "Söhne" ${'🍔'.repeat(40)}${'g'.repeat(199)}`]
    for (const [i, id] of ids.entries()) await stack.sim('POST', '/business', { id, name: names[i % 3] })
    await stack.sync(login)
    const { browser, page } = await open(stack, login)
    await waitFor('the names', async () => (await table(page).textContent()).includes('<script>'))
    const text = await table(page).textContent()
    for (const name of names.slice(0, Math.min(ids.length, 3))) ok(text.includes([...name.trim()].slice(0, 40).join('')), `${JSON.stringify(name.slice(0, 16))}… is text`)
    is(await page.evaluate(() => window.hacked), undefined, 'and nothing of it is run')
    is(await sideways(page), 0, 'nothing to scroll sideways')
    is(await axe(page), [], 'axe finds nothing serious')
    await quiet(page)
    await page.evaluate(() => scrollTo(0, 0))
    await shot(page, 'names-of-businesses')
    await browser.isClean()
  })

  await subtest('320 pixels wide: nothing sideways, everything in reach', async () => {
    const login = await account('narrow', { programs: 120, businesses: 30, variants: true })
    await stack.sync(login)
    for (const colorScheme of ['light', 'dark']) {
      const { browser, page } = await open(stack, login, { width: 320, height: 640, colorScheme })
      const cards = list(page).getByRole('list', { name: t('programs.table'), exact: true }).locator('> li')
      await waitFor('the programs', async () => (await cards.count()) === 20, 30)
      await quiet(page)
      is(await sideways(page), 0, `${colorScheme}: nothing to scroll sideways`)
      is(await cutOff(page), [], '... no control is cut off')
      is(await axe(page), [], '... axe finds nothing serious')
      await cards.first().evaluate((card) => card.scrollIntoView({ block: 'center' }))
      await shot(page, `programs-320${colorScheme === 'dark' ? '-dark' : ''}`)
      for (const [name, control] of [
        ['sync', page.getByRole('button', { name: t('sync.button') })],
        ['history', page.getByRole('link', { name: t('common.history') }).or(page.getByRole('button', { name: t('common.history') }))],
        ['search', list(page).getByRole('searchbox')],
        ['business', list(page).getByRole('combobox', { name: t('programs.business'), exact: true })],
        ['export', list(page).getByRole('button', { name: t('programs.export') })],
        ['columns', list(page).getByRole('button', { name: t('programs.columns'), exact: true })],
        ['sort', list(page).getByLabel(t('programs.sortBy'))],
        ['next page', list(page).getByRole('button', { name: t('programs.nextPage') })],
        ['a name', cards.first().getByRole('button', { name: pattern('programs.rename') })],
        ['details', cards.first().getByRole('button', { name: pattern('programs.detailsOf') })],
      ]) {
        ok(await control.first().click({ trial: true, timeout: 15_000 }).then(() => true, () => false), `${name} can be reached`)
      }
      await cards.first().getByRole('button', { name: pattern('programs.detailsOf') }).click()
      await page.getByRole('dialog', { name: t('programs.details') }).waitFor()
      is(await sideways(page), 0, 'with the details open, nothing sideways')
      is(await cutOff(page), [], '... and nothing cut off')
      await browser.isClean()
    }
  })

  await subtest('dark', async () => {
    const { browser, page } = await open(stack, ['narrow', 'narrow-password'], { colorScheme: 'dark' })
    await rows(page).first().waitFor()
    await quiet(page)
    is(await axe(page), [], 'axe finds nothing serious')
    await page.evaluate(() => scrollTo(0, 0))
    await shot(page, 'programs-dark')
    await browser.isClean()
  })

  await subtest('20,000 programs', async () => {
    const login = await account('many', { programs: 20_000, businesses: 400 })
    await stack.latency(0)
    await stack.sync(login)
    const { browser, page } = await open(stack, login, { address: '/programs?size=100' })
    await waitFor('the rows', async () => (await rows(page).count()) === 100, 60)
    is(await totalBecomes(page, 20_000), 20_000, 'are told')
    is(await page.locator('tbody tr').count(), 100, 'and a hundred rows are in the page')
    await list(page).getByRole('button', { name: t('programs.lastPage') }).click()
    await sees(page.getByText(t('programs.range', { from: '19,901', to: '20,000', total: '20,000' })), 'the last page', 60)
    ok((await page.locator('tbody tr').count()) <= 100, '... has no more')
    const sent = await page.evaluate(() => performance.getEntriesByType('resource')
      .filter((one) => /\.(js|css)$/.test(one.name)).reduce((n, one) => n + one.encodedBodySize, 0))
    ok(sent > 50_000 && sent < 250_000, `all scripts and styles until then: ${sent} bytes on the wire, under 250,000`)
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
