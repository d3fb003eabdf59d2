#include "pipelines/scan_progress.hpp"

#include <utility>

namespace dynabackup::pipelines {

void scan_progress::resume(const archive::backfill_checkpoint& c) {
  for (const archive::scan_position& p : c.positions) {
    segment_state& s = segments_.at(p.segment);
    s.done = p.done;
    if (!p.done) s.next = p.next;
  }
  passed_ = {c.items, c.written, c.present, c.differing};
}

std::shared_ptr<scan_progress::page> scan_progress::begin(std::uint32_t segment, std::size_t items,
                                                          std::optional<std::string> next) {
  auto added = std::make_shared<page>(page{.segment = segment, .next = std::move(next), .open = items});
  segments_[segment].pages.push_back(added);
  if (items == 0) advance(segments_[segment]);
  return added;
}

void scan_progress::settled(page& of) {
  ++of.counts.items;
  if (--of.open == 0) advance(segments_[of.segment]);
}

void scan_progress::advance(segment_state& s) {
  while (!s.pages.empty() && s.pages.front()->open == 0) {
    const page& passed = *s.pages.front();
    s.next = passed.next;
    s.done = !passed.next;
    passed_.items += passed.counts.items;
    passed_.written += passed.counts.written;
    passed_.present += passed.counts.present;
    passed_.differing += passed.counts.differing;
    s.pages.pop_front();
  }
}

void scan_progress::write(archive::backfill_checkpoint& c) const {
  c.segments = segments();
  c.positions.clear();
  for (std::uint32_t n = 0; n < segments(); ++n) {
    const segment_state& s = segments_[n];
    if (s.done || s.next) c.positions.push_back({n, s.done, s.next.value_or("")});
  }
  c.items = passed_.items;
  c.written = passed_.written;
  c.present = passed_.present;
  c.differing = passed_.differing;
}

}  // namespace dynabackup::pipelines
