import type { ComboboxStore } from '@mantine/core'
import { useRef, type RefObject } from 'react'

/**
 * Of its options Mantine says aria-selected for the one that the arrow keys are at, which
 * is what aria-activedescendant is for, and takes it away behind them. With this it is
 * said of the one that is chosen, whatever the keys do: the store to be used in place of
 * Mantine's, and the ref of its options.
 */
export function useChosen(store: ComboboxStore): [ComboboxStore, RefObject<HTMLDivElement>] {
  const list = useRef<HTMLDivElement>(null)
  const after =
    <Given extends unknown[], Result>(move: (...given: Given) => Result) =>
    (...given: Given): Result => {
      const result = move(...given)
      for (const option of list.current?.querySelectorAll('[role=option]') ?? []) {
        option.setAttribute('aria-selected', `${option.hasAttribute('data-combobox-active')}`)
      }
      return result
    }
  const told = {
    ...store,
    selectOption: after(store.selectOption),
    selectActiveOption: after(store.selectActiveOption),
    selectFirstOption: after(store.selectFirstOption),
    selectNextOption: after(store.selectNextOption),
    selectPreviousOption: after(store.selectPreviousOption),
    resetSelectedOption: after(store.resetSelectedOption),
  }
  return [told, list]
}
