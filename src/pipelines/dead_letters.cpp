#include <chrono>

#include "archive/gap.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/recording.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {

task<void> set_aside(recording& all, std::size_t position, std::string why) {
  const dynamodb::stream_record& record = all.record(position);
  if (!all.what.dead_letters) {
    const std::string number = record.sequence_number.empty() ? "without a sequence number" : record.sequence_number;
    throw error("stream record " + number + " cannot be read: " + why +
                ". With dead letters switched on it is kept in the bucket, and what follows is recorded");
  }
  const std::string name = archive::name_of_change(all.label, record.sequence_number, record.raw);
  const std::string when =
      record.changed_at.count() > 0 ? text::rfc3339(text::millis{record.changed_at}) : std::string();
  const archive::dead_letter letter{all.what.stream_arn, record.sequence_number, when, why, record.raw};
  archive::gap hole;
  hole.stream = all.what.stream_arn;
  hole.from_sequence = hole.to_sequence = record.sequence_number;
  hole.from = hole.to = when;
  hole.reason = "a record that cannot be read: " + archive::dead_letter_key(all.what.to, name);
  // Delivered again it gives the same names and bytes: what is there already is as good.
  s3::put_options options;
  options.if_none_match = all.known.conditions.if_none_match;
  co_await all.run.objects.put_object(all.what.to.bucket, archive::dead_letter_key(all.what.to, name),
                                      archive::write_dead_letter(letter), options);
  co_await all.run.objects.put_object(all.what.to.bucket, archive::gap_key(all.what.to, name), archive::write_gap(hole),
                                      options);
  ++all.out.dead_letters;
  all.settle(position);
}

}  // namespace dynabackup::pipelines
