import type { LucideIcon } from 'lucide-react'
import unknown from 'lucide-react/icons/circle-small'
import purchase from 'lucide-react/icons/coins'
import look from 'lucide-react/icons/eye'
import pause from 'lucide-react/icons/pause'
import play from 'lucide-react/icons/play'
import pointer from 'lucide-react/icons/pointer'
import start from 'lucide-react/icons/rocket'
import search from 'lucide-react/icons/search'
import cart from 'lucide-react/icons/shopping-cart'
import form from 'lucide-react/icons/square-pen'
import cross from 'lucide-react/icons/x'
import type { EventType } from '../../trpc/schema/event-types.ts'

const icons: Record<EventType, LucideIcon> = {
  session_start: start,
  page_view: look,
  search,
  purchase,
  add_to_cart: cart,
  remove_from_cart: cross,
  button_click: pointer,
  form_submit: form,
  video_play: play,
  video_pause: pause,
}

/** Stands in front of an event's name, which says the same; also of a type that this version does not know. */
export function EventIcon({ type }: { type: string }) {
  const Drawing = Object.hasOwn(icons, type) ? icons[type as EventType] : unknown
  return <Drawing className="i" aria-hidden="true" />
}
