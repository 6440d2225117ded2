#!/usr/bin/env node
'use strict'

// Language and appearance: as the browser has it, by hand, and remembered.

const { Browser, axe, closeAll, languages, needBrowser, sees, shot, sideways, signIn, t } = require('../lib/web/browser.js')
const { Stack, waitFor } = require('../lib/web/stack.js')
const { done, is, ok, subtest } = require('../lib/web/tap.js')

needBrowser()
const stack = Stack.start({ latency: 5, conf: { 'jobs.workers': 1 } })
const login = ['p80', 'pw']

async function open(how) {
  const browser = await Browser.open(stack, how)
  const page = await browser.tab()
  await page.goto('/login')
  return { browser, page }
}

const background = (page) =>
  page.evaluate(() => {
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g).map(Number)
    return r + g + b < 380 ? 'dark' : 'light'
  })

async function choose(page, menu, choice) {
  await page.getByRole('button', { name: menu, exact: true }).click()
  await page.getByRole('menuitem', { name: choice, exact: true }).click()
}

async function main() {
  await subtest('the languages have the same texts', async () => {
    const keys = (node, at = '') =>
      Object.entries(node).flatMap(([name, value]) => (typeof value === 'string' ? [`${at}${name}`.replace(/_(zero|one|two|few|many|other)$/, '')] : keys(value, `${at}${name}.`)))
    const of = (language) => [...new Set(keys(languages[language]))].sort()
    ok(of('en').length > 50, 'there are texts')
    is(of('uk'), of('en'), 'Ukrainian')
    is(of('ru'), of('en'), 'Russian')
  })

  await subtest('the language of the browser, another by hand, and that again next time', async () => {
    for (const [locale, language] of [['en-GB', 'en'], ['uk', 'uk'], ['ru-RU', 'ru'], ['de-DE', 'en']]) {
      const { browser, page } = await open({ locale })
      await sees(page.getByRole('heading', { name: t('login.title', {}, language), exact: true }), `${locale} reads ${language}`)
      is(await page.locator('html').getAttribute('lang'), language, '... and says so to a screen reader')
      await browser.isClean()
    }
    const { browser, page } = await open({ locale: 'en-US' })
    await page.getByRole('button', { name: t('common.language'), exact: true }).click()
    await page.getByRole('menuitem', { name: 'Українська', exact: true }).waitFor()
    is(await page.getByRole('menuitem', { name: 'English', exact: true }).getAttribute('aria-current'), 'true', 'the menu says which it is')
    is(await axe(page), [], 'with the menu open axe finds nothing serious')
    await page.keyboard.press('Escape')
    await choose(page, t('common.language'), 'Українська')
    await sees(page.getByRole('heading', { name: t('login.title', {}, 'uk'), exact: true }), 'Ukrainian by hand')
    is(await axe(page), [], 'axe finds nothing serious')
    await page.reload()
    await sees(page.getByRole('heading', { name: t('login.title', {}, 'uk'), exact: true }), 'and after loading again')
    await browser.isClean()
  })

  await subtest('switched while at work, everything changes', async () => {
    const { browser, page } = await open()
    await signIn(page, login)
    await sees(page.getByRole('heading', { name: t('programs.title'), exact: true }), 'English')
    for (const [name, language] of [['Українська', 'uk'], ['Русский', 'ru'], ['English', 'en']]) {
      await choose(page, new RegExp(['en', 'uk', 'ru'].map((one) => t('common.language', {}, one)).join('|')), name)
      await sees(page.getByRole('heading', { name: t('programs.title', {}, language), exact: true }), name)
      await sees(page.getByRole('button', { name: t('sync.button', {}, language) }), '... its buttons too')
      await waitFor('the end of the sync', async () => !(await page.getByRole('progressbar').isVisible()), 30)
      await shot(page, `programs-${language}`)
    }
    await browser.isClean()
  })

  await subtest('light and dark as the system has it, and by hand', async () => {
    for (const scheme of ['light', 'dark']) {
      const { browser, page } = await open({ colorScheme: scheme })
      await page.getByRole('heading', { name: t('login.title') }).waitFor()
      is(await background(page), scheme, `${scheme} as the system`)
      const other = scheme === 'light' ? 'dark' : 'light'
      await choose(page, t('common.scheme'), t(`common.scheme_${other}`))
      await waitFor(other, async () => (await background(page)) === other)
      is(await axe(page), [], `${other} by hand: axe finds nothing serious`)
      await page.reload()
      await page.getByRole('heading', { name: t('login.title') }).waitFor()
      is(await background(page), other, '... and after loading again')
      await choose(page, t('common.scheme'), t('common.scheme_auto'))
      await waitFor(scheme, async () => (await background(page)) === scheme)
      await page.emulateMedia({ colorScheme: other })
      await waitFor('the system to change', async () => (await background(page)) === other)
      ok(true, '... or with the system again, also when that changes')
      await browser.isClean()
    }
  })

  await subtest('who asks for less motion gets it, and the keyboard reaches everything', async () => {
    const { browser, page } = await open()
    await page.getByRole('heading', { name: t('login.title') }).waitFor()
    const reached = new Set()
    for (let i = 0; i < 14; i++) {
      await page.keyboard.press('Tab')
      const at = await page.evaluate(() => {
        const one = document.activeElement
        if (one === document.body) return { name: 'BODY' }
        const style = getComputedStyle(one)
        const box = one.getBoundingClientRect()
        const around = [one, one.parentElement, one.nextElementSibling].filter(Boolean).map((part) => getComputedStyle(part))
        return {
          name: one.getAttribute('aria-label') || one.labels?.[0]?.innerText || one.innerText || one.tagName,
          marked: around.some((part) => (part.outlineStyle !== 'none' && parseFloat(part.outlineWidth) > 0) || part.boxShadow !== 'none') || style.borderColor !== '' && one.tagName === 'INPUT',
          visible: box.width > 0 && box.height > 0,
        }
      })
      if (at.name === 'BODY') continue
      reached.add(at.name.split('\n')[0])
      ok(at.marked && at.visible, `the focus is seen on ${at.name.split('\n')[0]}`)
    }
    for (const name of [t('common.language'), t('common.scheme'), t('login.user'), t('login.password'), t('login.keep'), t('login.submit')]) {
      ok([...reached].some((one) => one.includes(name)), `${name} is reached`)
    }
    await browser.isClean()
  })

  await subtest('a user name with a script, from right to left, and very long', async () => {
    const names = ['<script>window.hacked=1</script><img src=x onerror=window.hacked=1>', 'שם משתמש \u202egnp.exe', `long${'g'.repeat(240)}`]
    for (const name of names) {
      await stack.sim('POST', '/accounts', { user: name, password: 'pw', programs: 3, businesses: 1 })
      const { browser, page } = await open({ width: 320, height: 640 })
      await signIn(page, [name, 'pw'])
      await page.waitForURL('**/programs*')
      await page.getByRole('button', { name: t('common.account') }).click()
      await sees(page.getByRole('menuitem', { name: t('common.signOut') }), `${name.slice(0, 12)}… is signed in`)
      ok((await page.locator('body').textContent()).includes(name), '... shown as it is')
      is(await axe(page), [], '... with that menu open axe finds nothing serious')
      is(await page.evaluate(() => window.hacked), undefined, '... and not run')
      is(await sideways(page), 0, '... nothing to scroll sideways')
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
