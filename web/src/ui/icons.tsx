import type { ReactNode, SVGProps } from 'react'

/* A small set in one hand: 24 units, lines of 1.75, the colour of the text. */

type Props = SVGProps<SVGSVGElement> & { size?: number }

function icon(children: ReactNode) {
  return function Icon({ size = 18, ...rest }: Props) {
    return (
      <svg
        viewBox="0 0 24 24"
        width={size}
        height={size}
        fill="none"
        stroke="currentColor"
        strokeWidth={1.75}
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
        focusable="false"
        {...rest}
      >
        {children}
      </svg>
    )
  }
}

export const SyncIcon = icon(
  <>
    <path d="M20 11a8 8 0 0 0-14.3-4L4 9" />
    <path d="M4 4v5h5" />
    <path d="M4 13a8 8 0 0 0 14.3 4L20 15" />
    <path d="M20 20v-5h-5" />
  </>,
)
export const HistoryIcon = icon(
  <>
    <path d="M4.5 12a7.5 7.5 0 1 0 2.2-5.3L4.5 9" />
    <path d="M4.5 4.5V9H9" />
    <path d="M12 8v4.2l2.8 1.6" />
  </>,
)
export const LanguageIcon = icon(
  <>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M3.5 12h17M12 3.5c2.4 2.3 3.6 5.2 3.6 8.5s-1.2 6.2-3.6 8.5c-2.4-2.3-3.6-5.2-3.6-8.5s1.2-6.2 3.6-8.5z" />
  </>,
)
export const SunIcon = icon(
  <>
    <circle cx="12" cy="12" r="3.8" />
    <path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6 7 7M17 17l1.4 1.4M5.6 18.4 7 17M17 7l1.4-1.4" />
  </>,
)
export const MoonIcon = icon(<path d="M19.5 14.2A8 8 0 1 1 9.8 4.5a6.4 6.4 0 0 0 9.7 9.7z" />)
export const DeviceIcon = icon(
  <>
    <rect x="3.5" y="4.5" width="17" height="11.5" rx="1.5" />
    <path d="M9 20h6M12 16v4" />
  </>,
)
export const UserIcon = icon(
  <>
    <circle cx="12" cy="8.2" r="3.7" />
    <path d="M4.8 20c.8-3.6 3.6-5.5 7.2-5.5s6.4 1.9 7.2 5.5" />
  </>,
)
export const SignOutIcon = icon(
  <>
    <path d="M14 4.5H6.5a1.5 1.5 0 0 0-1.5 1.5v12a1.5 1.5 0 0 0 1.5 1.5H14" />
    <path d="M10 12h10.5M17 8.5l3.5 3.5-3.5 3.5" />
  </>,
)
export const CheckIcon = icon(<path d="m5 12.5 4.5 4.5L19 7.5" />)
export const CloseIcon = icon(<path d="m6 6 12 12M18 6 6 18" />)
export const AlertIcon = icon(
  <>
    <path d="M12 4 2.8 19.5h18.4z" />
    <path d="M12 10v4.2M12 17v.01" />
  </>,
)
export const ClockIcon = icon(
  <>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M12 7.5V12l3 2" />
  </>,
)
export const SearchIcon = icon(
  <>
    <circle cx="10.5" cy="10.5" r="6" />
    <path d="m15 15 5 5" />
  </>,
)
export const ColumnsIcon = icon(
  <>
    <rect x="4" y="4.5" width="16" height="15" rx="1.5" />
    <path d="M9.5 4.5v15M14.5 4.5v15" />
  </>,
)
export const DownloadIcon = icon(<path d="M12 4v11M7.5 11l4.5 4.5 4.5-4.5M5 19.5h14" />)
export const PencilIcon = icon(<path d="m5 19 .8-3.8L16.5 4.5l3 3L8.8 18.2 5 19zM14 7l3 3" />)
export const ChevronDownIcon = icon(<path d="m7 10 5 5 5-5" />)
export const ChevronUpIcon = icon(<path d="m7 14 5-5 5 5" />)
export const ChevronLeftIcon = icon(<path d="m14 7-5 5 5 5" />)
export const ChevronRightIcon = icon(<path d="m10 7 5 5-5 5" />)
export const FilterIcon = icon(<path d="M4 5.5h16l-6.2 7.3v5.7l-3.6-2v-3.7z" />)
export const InboxIcon = icon(
  <>
    <path d="M4 13.5 6.2 6h11.6L20 13.5v5H4z" />
    <path d="M4 13.5h4.8c.3 1.7 1.6 2.7 3.2 2.7s2.9-1 3.2-2.7H20" />
  </>,
)
export const PauseIcon = icon(<path d="M8.5 6v12M15.5 6v12" />)
export const PlayIcon = icon(<path d="M8 5.5v13l10.5-6.5z" />)
export const PlusIcon = icon(<path d="M12 5v14M5 12h14" />)
export const SettingsIcon = icon(
  <>
    <path d="M4 7.5h9M18.5 7.5H20M4 16.5h1.5M11 16.5h9" />
    <circle cx="15.75" cy="7.5" r="2.5" />
    <circle cx="8.25" cy="16.5" r="2.5" />
  </>,
)
