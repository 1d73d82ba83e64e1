import type { LucideIcon } from 'lucide-react'
import pulse from 'lucide-react/icons/activity'
import sortDown from 'lucide-react/icons/arrow-down'
import sortUp from 'lucide-react/icons/arrow-up'
import book from 'lucide-react/icons/book-open'
import calendar from 'lucide-react/icons/calendar'
import compare from 'lucide-react/icons/chart-line'
import check from 'lucide-react/icons/check'
import down from 'lucide-react/icons/chevron-down'
import left from 'lucide-react/icons/chevron-left'
import right from 'lucide-react/icons/chevron-right'
import sortNone from 'lucide-react/icons/chevrons-up-down'
import copy from 'lucide-react/icons/copy'
import download from 'lucide-react/icons/download'
import eye from 'lucide-react/icons/eye'
import page from 'lucide-react/icons/file-text'
import info from 'lucide-react/icons/info'
import keyboard from 'lucide-react/icons/keyboard'
import logout from 'lucide-react/icons/log-out'
import menu from 'lucide-react/icons/menu'
import retry from 'lucide-react/icons/rotate-cw'
import search from 'lucide-react/icons/search'
import sun from 'lucide-react/icons/sun'
import fall from 'lucide-react/icons/trending-down'
import rise from 'lucide-react/icons/trending-up'
import warning from 'lucide-react/icons/triangle-alert'
import users from 'lucide-react/icons/users'
import cross from 'lucide-react/icons/x'

const icons = {
  search,
  down,
  right,
  left,
  calendar,
  compare,
  export: download,
  menu,
  logout,
  book,
  keyboard,
  page,
  users,
  sun,
  copy,
  check,
  cross,
  warning,
  info,
  retry,
  pulse,
  eye,
  rise,
  fall,
  sortNone,
  sortDown,
  sortUp,
} satisfies Record<string, LucideIcon>

export type IconName = keyof typeof icons

/** Hidden from screen readers, so always put it beside a text that says the same. */
export function Icon({ name }: { name: IconName }) {
  const Drawing = icons[name]
  return <Drawing className="i" aria-hidden="true" />
}
