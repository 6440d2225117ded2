#!/usr/bin/env node
'use strict'

// The table of programs: what it shows, sorted, filtered and paged, its address, a
// program's own name, its details, and the file of it all.

const fs = require('node:fs')
const { axe, closeAll, needBrowser, pattern, sees, shot, t } = require('../lib/web/browser.js')
const { Stack, waitFor } = require('../lib/web/stack.js')
const { choices, choose, clear, column, figure, filter, head, list, offered, offers, open, rows, table, total, totalBecomes } = require('../lib/web/table.js')
const { done, is, like, ok, subtest } = require('../lib/web/tap.js')

needBrowser()
const stack = Stack.start({ latency: 10, conf: { 'jobs.workers': 2 } })
const login = ['agent', 'agent-password']
const PROGRAMS = 600

const registry = async (query) => (await stack.api('GET', `/api/reseller/programs?source=registry&${query}`, login)).json

async function main() {
  await stack.account('agent', { programs: PROGRAMS, businesses: 130, variants: true })
  await stack.sync(login)
  const truth = await registry('limit=1')
  const all = truth.total_count

  await subtest('rows, from the registry, as a person reads them', async () => {
    const { browser, page } = await open(stack, login)
    await sees(rows(page), 'rows')
    is(await totalBecomes(page, all), all, 'as many programs as the registry has')
    is(await rows(page).count(), 20, 'twenty a page')
    for (const name of ['custom_name', 'business_name', 'program_type', 'status', 'start_date', 'end_date', 'budget', 'max_bid',
      'is_autobid', 'billed_impressions', 'billed_clicks', 'ad_cost', 'active_features']) {
      await sees(head(page, name), `a column ${t(`programs.column_${name}`)}`)
    }
    const first = (await registry('sort=business_name&limit=20')).programs
    is((await column(page, 'business_name')).map((text) => text.split('\n')[0].trim()), first.map((one) => one.business_name ?? one.yelp_business_id ?? '—'), 'by the names of the businesses, not their ids')
    const priced = first.findIndex((one) => one.budget !== null && (one.currency ?? 'USD') === 'USD')
    const money = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' })
    is((await column(page, 'budget'))[priced], money.format(first[priced].budget / 100), 'money in the currency of the account')
    const noEnd = (await registry('sort=-end_date&limit=1')).programs[0]
    is(noEnd.end_date, '9999-12-31', 'there is one without an end')
    await head(page, 'end_date').getByRole('button').click()
    await head(page, 'end_date').getByRole('button').click()
    await waitFor('the order', async () => (await column(page, 'end_date'))[0] === t('programs.noEnd'))
    ok(true, 'which reads "No end"')
    is(await axe(page), [], 'axe finds nothing serious')
    await page.getByRole('progressbar').waitFor({ state: 'hidden' })
    await page.evaluate(() => scrollTo(0, 0))
    await shot(page, 'programs')
    await browser.isClean()
  })

  await subtest('sorted by a click, turned by another', async () => {
    const { browser, page } = await open(stack, login, { address: '/programs?columns=custom_name.status.start_date.budget.billed_clicks.program_id' })
    await rows(page).first().waitFor()
    for (const name of ['budget', 'billed_clicks', 'start_date', 'status']) {
      for (const [turn, sort, aria] of [['first', name, 'ascending'], ['second', `-${name}`, 'descending']]) {
        await head(page, name).getByRole('button').click()
        const want = (await registry(`sort=${sort}&limit=20`)).programs.map((one) => one.program_id)
        const have = async () => (await table(page).locator('tbody tr').count()) && page.url()
        await waitFor('the address', async () => (await have()).includes(`sort=${sort}`))
        await waitFor(`${aria}`, async () => (await head(page, name).getAttribute('aria-sort')) === aria)
        ok(true, `${name}, ${turn} click: ${aria}`)
        await waitFor('the rows', async () => (await table(page).getByRole('table').getAttribute('aria-busy')) === 'false')
        is(await column(page, 'program_id'), want, '... and the rows as the registry has them')
        is(want.length, 20, '... twenty of them')
      }
      const figures = (await column(page, name)).map((text) => (/\d/.test(text) ? figure(text) : -1))
      if (['budget', 'billed_clicks'].includes(name)) is(figures.filter((n) => n >= 0), figures.filter((n) => n >= 0).sort((a, b) => b - a), `${name} falls`)
    }
    await browser.isClean()
  })

  await subtest('each filter gives what it said it would', async () => {
    const { browser, page } = await open(stack, login)
    await totalBecomes(page, all)
    for (const name of ['status', 'type', 'pause', 'business']) {
      const choice = await choices(page, name)
      if (name === 'business') {
        is(choice[0].label, t('programs.allBusinesses'), 'all businesses come first')
        ok(choice.length > 100, `then hundreds of them: ${choice.length}`)
      }
      is(choice[0].count, all, `${name}: all of it is ${all}`)
      if (name === 'status') is(choice.slice(1).reduce((sum, one) => sum + one.count, 0), all, 'each program has one status')
      await page.keyboard.press('Escape')
      for (const one of choice.slice(1).filter((each) => each.count > 0).slice(0, 3)) {
        await choose(page, name, one.label)
        is(await totalBecomes(page, one.count), one.count, `${name} ${one.label}: ${one.count} said, ${one.count} shown`)
        // That many there may have been before, too.
        const shown = { status: 'status', type: 'program_type' }[name]
        const kinds = async () => [...new Set((await column(page, shown)).map((text) => text.trim()))]
        if (shown) await waitFor('its rows', async () => String(await kinds()) === one.label).catch(() => {})
        is(await rows(page).count(), Math.min(20, one.count), '... with its rows')
        if (shown) is(await kinds(), [one.label], `... of that ${name} only`)
      }
      await choices(page, name)
      await shot(page, `filter-${name}`)
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('ArrowUp')
      await page.keyboard.press('ArrowUp')
      is(await offers(page, name).evaluateAll((each) => each.filter((one) => one.getAttribute('aria-selected') === 'true').map((one) => 'comboboxActive' in one.dataset)), [true], '... and says which one is chosen, wherever the arrow keys are')
      await page.keyboard.press('Escape')
      await clear(page)
      is(await totalBecomes(page, all), all, 'cleared with one click')
      ok(!/[?&](status|type|pause|business)=/.test(page.url()), 'from the address as well')
    }
    await browser.isClean()
  })

  await subtest('counts under other filters agree too', async () => {
    const { browser, page } = await open(stack, login)
    await totalBecomes(page, all)
    const status = (await choices(page, 'status')).slice(1).sort((a, b) => b.count - a.count)[0]
    await choose(page, 'status', status.label)
    await totalBecomes(page, status.count)
    let types = await choices(page, 'type')
    const sum = () => types.slice(1).reduce((n, one) => n + one.count, 0)
    // The rows come by another request than the counts.
    await waitFor('its counts', async () => {
      types = await offered(page, 'type')
      return types[0].count === status.count && sum() === status.count
    }).catch(() => {})
    is(types[0].count, status.count, 'all types: what the status leaves')
    is(sum(), status.count, 'the types share it')
    const type = types.slice(1).sort((a, b) => a.count - b.count)[0]
    await choose(page, 'type', type.label)
    is(await totalBecomes(page, type.count), type.count, `both: ${type.count}`)
    await list(page).getByRole('button', { name: t('programs.removeFilter', { name: t('programs.status') }) }).click()
    ok((await waitFor('more', async () => { const n = await total(page); return n !== undefined && n >= type.count && n })) >= type.count, 'one of them taken away')
    ok(!/status=/.test(page.url()), '... from the address too')
    await browser.isClean()
  })

  await subtest('a business is found by its name and by its id, with the keyboard', async () => {
    const { browser, page } = await open(stack, login)
    await totalBecomes(page, all)
    const businesses = (await stack.api('GET', '/api/reseller/available-filters', login)).json.businesses
    const one = businesses.find((each) => each.name && businesses.filter((other) => other.name?.includes(each.name)).length === 1) ?? businesses[7]
    await filter(page, 'business').focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.type(one.name)
    await sees(offers(page, 'business').filter({ hasText: one.name }), 'by its name')
    is(await axe(page), [], 'with the list open axe finds nothing serious')
    await shot(page, 'filter-search')
    await page.keyboard.press('Enter')
    is(await totalBecomes(page, one.count), one.count, `Enter takes it: ${one.count}`)
    await clear(page)
    await filter(page, 'business').click()
    await page.keyboard.type(one.business_id)
    await sees(offers(page, 'business').filter({ hasText: one.business_id }), 'by its id')
    await page.keyboard.press('Escape')
    await browser.isClean()
  })

  await subtest('text: rows that hold it', async () => {
    const { browser, page } = await open(stack, login)
    await totalBecomes(page, all)
    const one = (await registry('limit=30')).programs.find((each) => each.business_name)
    await list(page).getByRole('searchbox', { name: t('programs.text') }).fill(one.business_name.toLowerCase())
    const want = (await registry(`limit=1&q=${encodeURIComponent(one.business_name)}`)).total_count
    is(await totalBecomes(page, want), want, `"${one.business_name}" in other letters: ${want}`)
    ok((await column(page, 'business_name')).every((text) => text.includes(one.business_name)), 'in every row')
    await list(page).getByRole('button', { name: t('programs.clearText') }).click()
    is(await totalBecomes(page, all), all, 'cleared')
    await browser.isClean()
  })

  await subtest('pages of 20, 50 and 100, forth and back', async () => {
    const { browser, page } = await open(stack, login)
    await totalBecomes(page, all)
    for (const size of [50, 100, 20]) {
      await list(page).getByLabel(t('programs.rowsPerPage')).selectOption(String(size))
      await waitFor(`${size} rows`, async () => (await rows(page).count()) === size)
      ok(true, `${size} rows`)
    }
    const ids = () => table(page).locator('tbody tr').evaluateAll((each) => each.map((row) => row.innerText))
    const range = (from, to) => t('programs.range', { from, to, total: all })
    const first = await ids()
    await list(page).getByRole('button', { name: t('programs.nextPage') }).click()
    await sees(page.getByText(range(21, 40)), 'the second')
    const second = await ids()
    is(second.filter((row) => first.includes(row)).length < 5, true, 'other rows')
    await list(page).getByRole('button', { name: t('programs.lastPage') }).click()
    await sees(page.getByText(new RegExp(`–${all} of ${all}`)), 'the last')
    await list(page).getByRole('button', { name: t('programs.firstPage') }).click()
    await sees(page.getByText(range(1, 20)), 'the first')
    is(await ids(), first, '... with the same rows')
    await page.goBack()
    await sees(page.getByText(new RegExp(`–${all} of ${all}`)), 'Back leads to the last')
    await browser.isClean()
  })

  await subtest('the view is in the address: a link, a reload and Back bring it', async () => {
    const { browser, page } = await open(stack, login)
    await totalBecomes(page, all)
    const status = (await choices(page, 'status')).slice(1).sort((a, b) => b.count - a.count)[0]
    await choose(page, 'status', status.label)
    await totalBecomes(page, status.count)
    await head(page, 'budget').getByRole('button').click()
    await waitFor('the sort', async () => /sort=budget/.test(page.url()))
    await list(page).getByLabel(t('programs.rowsPerPage')).selectOption('50')
    await waitFor('the size', async () => /size=50/.test(page.url()))
    await waitFor('the rows', async () => (await rows(page).count()) === Math.min(50, status.count))
    const look = async () => ({ total: await total(page), texts: await table(page).locator('tbody tr').allInnerTexts() })
    const before = await look()
    const address = page.url()
    await page.reload()
    await totalBecomes(page, status.count)
    await waitFor('the rows', async () => (await rows(page).count()) === before.texts.length)
    is(await look(), before, 'loaded again, the same')

    const other = await open(stack, login, { address: address.replace(stack.BASE_URL, '') })
    await totalBecomes(other.page, status.count)
    await waitFor('the rows', async () => (await rows(other.page).count()) === before.texts.length)
    is(await table(other.page).locator('tbody tr').allInnerTexts(), before.texts, 'a link brings somebody else there, after signing in')
    await other.browser.isClean()

    await page.goBack()
    await waitFor('Back', async () => (await list(page).getByLabel(t('programs.rowsPerPage')).inputValue()) === '20')
    ok(!/size=/.test(page.url()), 'Back: the size')
    await page.goBack()
    await waitFor('Back', async () => (await head(page, 'budget').getAttribute('aria-sort')) === null)
    ok(!/sort=/.test(page.url()), 'Back: the order')
    await page.goBack()
    is(await totalBecomes(page, all), all, 'Back: the filter')
    await page.goForward()
    is(await totalBecomes(page, status.count), status.count, 'and forward again')

    await page.goto('/programs?status=NONSENSE&sort=../../etc&size=9999&page=-1&columns=x.y&program=%00&q=%3Cscript%3E')
    await sees(list(page), 'an address that makes no sense is a page too')
    await clear(page)
    is(await totalBecomes(page, all), all, 'of which nothing but the text was believed')
    await browser.isClean()
  })

  await subtest('columns by choice', async () => {
    const { browser, page } = await open(stack, login)
    await totalBecomes(page, all)
    await list(page).getByRole('button', { name: t('programs.columns'), exact: true }).click()
    const dialog = page.getByRole('dialog', { name: t('programs.columns') })
    await dialog.getByRole('checkbox', { name: t('programs.column_billed_clicks'), exact: true }).click()
    await dialog.getByRole('checkbox', { name: t('programs.column_program_id'), exact: true }).click()
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'columns')
    await page.keyboard.press('Escape')
    await sees(head(page, 'program_id'), 'one more')
    is(await head(page, 'billed_clicks').count(), 0, 'one less')
    like(page.url(), /columns=/, 'in the address')
    await page.reload()
    await sees(head(page, 'program_id'), 'after loading again too')
    await list(page).getByRole('button', { name: t('programs.columns'), exact: true }).click()
    await page.getByRole('button', { name: t('programs.usualColumns') }).click()
    await sees(head(page, 'billed_clicks'), 'the usual ones come back')
    await browser.isClean()
  })

  await subtest('what was there stays on screen while newer is on its way', async () => {
    const { browser, page } = await open(stack, login)
    await totalBecomes(page, all)
    await waitFor('quiet', async () => !(await page.getByRole('progressbar').isVisible()), 30)
    let let_go
    const held = new Promise((resolve) => { let_go = resolve })
    await page.route(/source=registry/, async (route) => { await held; await route.continue() })
    await head(page, 'budget').getByRole('button').click()
    await waitFor('it to be busy', async () => (await table(page).getByRole('table').getAttribute('aria-busy')) === 'true')
    is(await rows(page).count(), 20, 'the rows of before are still there')
    let_go()
    await waitFor('the new ones', async () => (await table(page).getByRole('table').getAttribute('aria-busy')) === 'false')
    ok(true, 'until the new ones come')
    await page.unroute(/source=registry/)
    await browser.isClean()
  })

  await subtest('a name of one\'s own', async () => {
    const { browser, page } = await open(stack, login)
    await totalBecomes(page, all)
    await waitFor('quiet', async () => !(await page.getByRole('progressbar').isVisible()), 30)
    const row = rows(page).nth(2)
    const edit = async (text, key) => {
      await row.getByRole('button', { name: pattern('programs.rename') }).click()
      await row.getByRole('textbox', { name: t('programs.column_custom_name') }).fill(text)
      if (key) await page.keyboard.press(key)
    }
    await edit('Autumn campaign', 'Enter')
    await sees(row.getByRole('rowheader').getByText('Autumn campaign'), 'Enter keeps it')
    await waitFor('the registry', async () => (await registry('q=Autumn%20campaign')).total_count === 1)
    ok(true, 'in the registry too')
    await edit('something else', 'Escape')
    await sees(row.getByRole('rowheader').getByText('Autumn campaign'), 'Escape leaves it')
    await edit('x'.repeat(256), 'Enter')
    await sees(row.getByText(t('programs.nameTooLong', { n: 256, max: 255 })), '256 letters are too many, it says')
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'name-too-long')
    await page.keyboard.press('Escape')
    for (const [what, name] of [['a script', '<script>window.hacked=1</script><img src=x onerror="window.hacked=1">'],
      ['right to left', 'قائمة \u202eمرحبا abc'], ['255 letters', 'Ж'.repeat(255)], ['an emoji', '👨‍👩‍👧‍👦 ☃ &amp; "quoted"']]) {
      await edit(name, 'Enter')
      await waitFor(what, async () => (await row.getByRole('rowheader').textContent()).includes(name))
      ok(true, `${what} is shown as it is`)
      await waitFor('the registry', async () => (await registry(`limit=1&q=${encodeURIComponent(name.slice(0, 50))}`)).programs[0]?.custom_name === name)
      is(await page.evaluate(() => window.hacked), undefined, '... and nothing of it is run')
    }
    const others = (await registry('sort=business_name&limit=20')).programs.slice(1, 4).map((one) => `/api/reseller/program/${one.program_id}/custom-name`)
    const odd = ['<script>window.hacked=1</script>', 'قائمة \u202eمرحبا abc', 'Ж'.repeat(255)]
    for (const [i, path] of others.entries()) await stack.api('POST', path, login, { custom_name: odd[i] })
    for (const [i, name] of odd.entries()) await waitFor('a name given elsewhere', async () => (await rows(page).nth(i + 1).getByRole('rowheader').textContent()).includes(name))
    ok(true, 'nor when they are given elsewhere')
    is(await page.evaluate(() => window.hacked), undefined, '... and nothing of them is run')
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight))
    await shot(page, 'names-hostile')
    for (const path of others) await stack.api('POST', path, login, { custom_name: null })

    await stack.stopPart('postgres')
    const before = await row.getByRole('rowheader').textContent()
    await edit('never kept', 'Enter')
    await sees(page.getByText(t('programs.renameRefused')), 'refused: a message', 40)
    await waitFor('the undoing', async () => (await row.getByRole('rowheader').textContent()) === before)
    ok(true, '... and the old name is back')
    await shot(page, 'name-refused')
    is(await rows(page).count(), 20, '... with every row still there')
    await stack.startPart('postgres')
    await waitFor('the database', async () => (await stack.api('GET', '/api/jobs', login)).status === 200, 30)
    await edit('', 'Enter')
    await sees(row.getByText(t('programs.noName')), 'nothing is no name again', 30)
    await browser.isClean()
  })

  await subtest('details, live', async () => {
    const { browser, page } = await open(stack, login, { address: '/programs?status=CURRENT' })
    await rows(page).first().waitFor()
    await waitFor('quiet', async () => !(await page.getByRole('progressbar').isVisible()), 30)
    const first = (await registry('program_status=CURRENT&sort=business_name&limit=1')).programs[0]
    await rows(page).first().getByRole('button', { name: pattern('programs.detailsOf') }).click()
    const details = page.getByRole('dialog', { name: t('programs.details') })
    await sees(details.getByText(first.program_id), 'its id')
    await sees(details.getByText(t('programs.liveSame')), 'the partner says the same')
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'details')
    like(page.url(), /program=/, 'it has an address')
    await page.keyboard.press('Escape')
    await details.waitFor({ state: 'hidden' })
    await stack.edit({ user: 'agent', op: 'change', ids: [first.program_id], values: { program_metrics: { budget: 777_00, currency: 'USD', is_autobid: true, max_bid: null, billed_impressions: 1, billed_clicks: 1, ad_cost: 1, fee_period: 'Calendar Month' } } })
    // What was asked a moment ago is not asked again.
    await page.reload()
    await rows(page).first().waitFor()
    await rows(page).first().getByRole('button', { name: pattern('programs.detailsOf') }).click()
    await sees(details.getByText(t('programs.liveDiffers')), 'changed at the partner, it says so', 30)
    await sees(details.getByText('$777.00'), '... with the value of now')
    await shot(page, 'details-newer')
    await stack.fault({ kind: '500', user: 'agent', path: 'info' })
    await page.keyboard.press('Escape')
    await rows(page).nth(1).getByRole('button', { name: pattern('programs.detailsOf') }).click()
    await sees(details.getByText(pattern('programs.liveFailed')), 'the partner broken, it shows the registry and says why', 40)
    await stack.heal()
    await browser.isClean()
  })

  await subtest('programs that the partner no longer knows: marked, counted, and one click away from right', async () => {
    const { browser, page } = await open(stack, login)
    await totalBecomes(page, all)
    await waitFor('quiet', async () => !(await page.getByRole('progressbar').isVisible()), 30)
    const ids = (await registry('sort=business_name&limit=2')).programs.map((one) => one.program_id)
    await stack.edit({ user: 'agent', op: 'remove', ids })
    await list(page).getByRole('button', { name: t('programs.check') }).click()
    await sees(page.getByText(pattern('sync.staleIds', { n: 2 })), 'the note has their number', 30)
    await sees(rows(page).first().getByText(t('programs.mark_gone'), { exact: true }), 'the rows are marked')
    is(await axe(page), [], 'axe finds nothing serious')
    await page.evaluate(() => scrollTo(0, 0))
    await shot(page, 'stale-ids')
    await page.getByRole('button', { name: t('sync.syncNow') }).click()
    is(await totalBecomes(page, all - 2), all - 2, '"Sync now" takes them away')
    await page.getByText(pattern('sync.staleIds', { n: 2 })).waitFor({ state: 'hidden' })
    ok(true, 'and the note with them')
    await browser.isClean()
  })

  await subtest('a file of what is filtered', async () => {
    const { browser, page } = await open(stack, login)
    await rows(page).first().waitFor()
    const status = (await choices(page, 'status')).slice(1).sort((a, b) => b.count - a.count)[0]
    await choose(page, 'status', status.label)
    await totalBecomes(page, status.count)
    const [download] = await Promise.all([page.waitForEvent('download'), list(page).getByRole('button', { name: t('programs.export') }).click()])
    like(download.suggestedFilename(), /^programs-\d{4}-\d\d-\d\d\.csv$/, 'named with the day')
    const text = fs.readFileSync(await download.path(), 'utf8').replace(/^\ufeff/, '')
    // A line break within quotes ends no row.
    const lines = text.replace(/"[^"]*"/g, '').trimEnd().split('\r\n')
    like(lines[0], /^program_id,/, 'with a header')
    is(lines.length - 1, status.count, 'and as many rows as the table says')
    await sees(page.getByText(pattern('programs.exported', { n: status.count })), 'told to the person')
    await shot(page, 'export')
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
