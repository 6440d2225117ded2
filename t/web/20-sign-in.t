#!/usr/bin/env node
'use strict'

// Signing in and out: what each way of being refused says, where the password is and
// where it is not, and that nobody is sent elsewhere.

const { Browser, axe, closeAll, needBrowser, pattern, sees, shot, sideways, signIn, t } = require('../lib/web/browser.js')
const { Stack, slow, waitFor } = require('../lib/web/stack.js')
const { column, filter, offers, rows } = require('../lib/web/table.js')
const { done, is, like, ok, subtest } = require('../lib/web/tap.js')

needBrowser()
const stack = Stack.start({ latency: 20, conf: { 'jobs.workers': 1, 'auth.refusals_per_address': 1000 } })
const user = ['p41', 'pw']

const alert = (page) => page.getByRole('alert')

async function fresh(how) {
  const browser = await Browser.open(stack, how)
  const page = await browser.tab()
  return { browser, page }
}

async function main() {
  await subtest('who is not signed in is asked to, and then gets the page', async () => {
    const { browser, page } = await fresh()
    await page.goto('/programs?status=CURRENT')
    await page.waitForURL('**/login')
    await sees(page.getByRole('heading', { name: t('login.title') }), 'the form')
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'sign-in')
    await signIn(page, user)
    await page.waitForURL('**/programs?status=CURRENT')
    await sees(page.getByRole('heading', { name: t('programs.title') }), 'the programs, with the filter that was asked for')
    await browser.isClean()
  })

  await subtest('the password is nowhere but in memory', async () => {
    const { browser, page } = await fresh()
    const urls = []
    page.on('request', (request) => urls.push(request.url()))
    await page.goto('/login')
    await signIn(page, ['agency', 'agency-password'])
    await page.waitForURL('**/programs*')
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]))
    const basic = Buffer.from('agency:agency-password').toString('base64')
    ok(!kept.includes('agency-password') && !kept.includes(basic), 'in no storage and no cookie')
    is(urls.filter((url) => /agency-password/.test(url) || url.includes(basic)), [], 'in no address')
    await page.reload()
    await page.waitForURL('**/login')
    await sees(page.getByLabel(t('login.user'), { exact: true }), 'gone with the page')
    await browser.isClean()
  })

  await subtest('kept for the tab when that is ticked, and for no other', async () => {
    const { browser, page } = await fresh()
    await page.goto('/login')
    await signIn(page, user, { stay: true })
    await page.waitForURL('**/programs*')
    await page.reload()
    await page.getByRole('button', { name: t('sync.button') }).waitFor()
    like(page.url(), /\/programs/, 'loaded again, it is still signed in')
    is(await page.evaluate(() => JSON.stringify({ ...localStorage }).includes('cHc=') || /"pw"|p41:pw/.test(JSON.stringify({ ...localStorage }))), false, 'not in localStorage')
    const other = await browser.context.newPage()
    await other.goto('/programs')
    await other.waitForURL('**/login')
    ok(true, 'another tab is asked')
    await other.close()
    await page.getByRole('button', { name: t('common.account') }).click()
    await page.getByRole('menuitem', { name: t('common.signOut') }).click()
    await page.waitForURL('**/login')
    is(await page.evaluate(() => JSON.stringify({ ...sessionStorage }).includes('authorization')), false, 'signed out, nothing is left of it')
    await page.goto('/programs')
    await page.waitForURL('**/login')
    await browser.isClean()
  })

  await subtest('an address cannot send who signs in elsewhere', async () => {
    const { browser, page } = await fresh()
    for (const query of ['?next=https://elsewhere.example/', '?from=//elsewhere.example', '#//elsewhere.example', '?redirect=/\\elsewhere.example']) {
      await page.goto(`/login${query}`)
      await signIn(page, user)
      await page.waitForURL('**/programs*')
      ok(page.url().startsWith(`${stack.BASE_URL}/programs`), query)
      await page.goto('about:blank')
    }
    await browser.isClean()
  })

  await subtest('what is missing is said at the field, and nothing is sent', async () => {
    const { browser, page } = await fresh()
    await page.goto('/login')
    let sent = 0
    page.on('request', (request) => { if (/\/api\//.test(request.url())) sent++ })
    await page.getByRole('button', { name: t('login.submit'), exact: true }).click()
    await sees(page.getByText(t('login.userMissing')), 'user name')
    await sees(page.getByText(t('login.passwordMissing')), 'password')
    await signIn(page, ['a:b', 'c'])
    await sees(page.getByText(t('login.userColon')), 'a colon')
    is(sent, 0, 'nobody was asked')
    is(await axe(page), [], 'axe finds nothing serious')
    await browser.isClean()
  })

  await subtest('each refusal reads differently, and no browser asks by itself', async () => {
    const { browser, page } = await fresh()
    const cases = [
      ['the wrong password', [user[0], 'wrong'], null, t('login.login_wrong')],
      ['an unknown user', ['nobody', 'wrong'], null, t('login.login_wrong')],
      ['no access', ['noaccess', 'pw'], null, t('login.no_access')],
      ['the partner is broken', ['p39', 'pw'], { kind: '500', user: 'p39' }, t('login.partner_down')],
      ['the partner is busy', ['p1', 'pw'], { kind: '429', user: 'p1', retry_after: 30 }, pattern('login.partner_limited')],
      ['the partner hangs', ['p0', 'pw'], { kind: 'hang', user: 'p0' }, t('login.partner_slow')],
    ]
    const said = new Set()
    for (const [what, login, fault, text] of cases) {
      if (fault) await stack.fault(fault)
      await page.goto('/login')
      const answered = page.waitForResponse((answer) => /validate-credentials/.test(answer.url()), { timeout: 60_000 * slow })
      await signIn(page, login)
      const answer = await answered
      is(answer.headers()['www-authenticate'], undefined, `${what}: no dialog of the browser`)
      await alert(page).waitFor()
      const now = await alert(page).innerText()
      ok(text instanceof RegExp ? text.test(now) : now.includes(text), `${what}: ${now.trim()}`)
      said.add(now)
      if (what === 'the wrong password') await shot(page, 'sign-in-wrong')
      if (what === 'the partner is broken') await shot(page, 'sign-in-partner-down')
      is(await axe(page), [], `${what}: axe finds nothing serious`)
      await stack.heal()
    }
    is(said.size, 5, 'wrong, no access, down, limited and slow are five texts')
    await page.goto('/login')
    await signIn(page, user)
    await page.waitForURL('**/programs*')
    ok(true, 'and the right one is taken')
    await browser.isClean()
  })

  await subtest('too many refusals', async () => {
    const { browser, page } = await fresh()
    await page.goto('/login')
    for (let i = 0; i < 7; i++) {
      const answered = page.waitForResponse((answer) => /validate-credentials/.test(answer.url()))
      await signIn(page, ['guessed', `wrong-${i}`])
      if ((await answered).status() === 429) break
      await alert(page).waitFor()
    }
    await sees(page.getByText(pattern('login.too_many_refusals')), 'says to wait')
    await browser.isClean()
  })

  await subtest('no server at all', async () => {
    const { browser, page } = await fresh()
    await page.goto('/login')
    // What of the page is loaded after it would not come any more.
    await page.getByLabel(t('login.user'), { exact: true }).waitFor()
    await browser.context.setOffline(true)
    await signIn(page, user)
    await sees(page.getByText(t('login.network')), 'says so')
    await browser.context.setOffline(false)
    await page.getByRole('button', { name: t('login.submit'), exact: true }).click()
    await page.waitForURL('**/programs*')
    ok(true, 'and goes on when it is back, with what was typed')
    await browser.isClean()
  })

  await subtest('a later 401 brings the form back with the page kept', async () => {
    const { browser, page } = await fresh()
    await stack.account('changing', { programs: 30 })
    await page.goto('/login')
    await signIn(page, ['changing', 'changing-password'])
    await page.getByRole('button', { name: t('sync.button') }).waitFor()
    await waitFor('its first sync', async () => (await stack.jobs(['changing', 'changing-password'])).some((one) => one.state === 'done'), 60)
    // In hand: a filter, and a name that is half typed.
    await filter(page, 'status').click()
    await offers(page, 'status').filter({ hasText: t('programs.status_CURRENT') }).click()
    await page.waitForURL('**/programs?status=CURRENT')
    // The rows of before stay until the new ones come, and would take the name with them.
    const current = t('programs.status_CURRENT')
    await waitFor('current programs', async () => {
      const shown = await column(page, 'status')
      return shown.length > 0 && shown.every((text) => text.trim() === current)
    })
    await rows(page).first().getByRole('button', { name: pattern('programs.rename') }).click()
    const name = page.getByRole('textbox', { name: t('programs.column_custom_name') })
    await name.fill('Half a na')
    await stack.sim('POST', '/accounts/password', { user: 'changing', password: 'new-password' })
    await page.getByRole('button', { name: t('sync.button') }).click()
    const again = page.getByRole('dialog', { name: t('login.again') })
    await again.waitFor()
    is(await again.getByLabel(t('login.user'), { exact: true }).inputValue(), 'changing', 'for the same user')
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'sign-in-again')
    await again.getByLabel(t('login.password'), { exact: true }).fill('new-password')
    await again.getByRole('button', { name: t('login.submit'), exact: true }).click()
    await again.waitFor({ state: 'hidden' })
    like(page.url(), /\/programs\?status=CURRENT$/, 'the same page with its filter')
    is(await name.inputValue(), 'Half a na', 'the name is still half typed')
    await browser.isClean()
  })

  await subtest('320 pixels wide, in the dark', async () => {
    const { browser, page } = await fresh({ width: 320, height: 640, colorScheme: 'dark' })
    await page.goto('/login')
    await page.getByRole('heading', { name: t('login.title') }).waitFor()
    is(await sideways(page), 0, 'nothing to scroll sideways')
    is(await axe(page), [], 'axe finds nothing serious')
    await shot(page, 'sign-in-320-dark')
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
