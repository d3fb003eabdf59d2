#include "pipelines/lost_changes.hpp"

#include <utility>

#include "archive/gap.hpp"
#include "dynamodb/stream_records.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {

task<void> note_gap(run_context& run, s3_location home, lost_changes lost, followed_stream of) {
  archive::gap hole;
  hole.stream = of.arn;
  hole.shard = lost.shard;
  hole.from_sequence = lost.after;
  hole.from = of.since;
  hole.to = text::rfc3339(run.bucket_time());
  hole.reason = lost.why;
  const auto stream = dynamodb::parse_stream_arn(of.arn);
  std::string name =
      archive::name_of_change(stream ? stream->label : std::string(), lost.after, lost.name + lost.after + of.since);
  if (!lost.after.empty()) name += "-after";
  co_await run.objects.put_object(home.bucket, archive::gap_key(home, name), archive::write_gap(hole), {});
}

}  // namespace dynabackup::pipelines
