// What every pipeline works with. References outlive the run; one io_context, one thread.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "aws/lambda_client.hpp"
#include "dynabackup/report.hpp"
#include "dynamodb/client.hpp"
#include "dynamodb/streams_client.hpp"
#include "pipelines/capacity.hpp"
#include "runtime/clock.hpp"
#include "runtime/in_flight.hpp"
#include "s3/client.hpp"

namespace dynabackup::pipelines {

/// The first parts of a multipart upload: S3 takes none below 5 MiB.
inline constexpr std::size_t usual_part_bytes = std::size_t{8} << 20;

struct run_context {
  dynamodb::client& tables;
  dynamodb::streams_client& streams;
  s3::client& objects;
  s3::client& urgent_objects;  ///< waits neither for permits nor for the pace of the others: for a lease
  runtime::clock& clock;
  const runtime::interruption& stop;
  progress& seen;
  std::size_t table_parallelism;   ///< most DynamoDB requests in flight
  std::size_t object_parallelism;  ///< most S3 requests in flight
  std::size_t segments;            ///< of a parallel scan; 0 = choose
  std::size_t memory_bytes;        ///< the byte budget of the run; pipelines deal shares of it out
  std::size_t part_bytes = usual_part_bytes;
  capacity& reads;                 ///< the user's ceiling on read units
  capacity& writes;                ///< and on write units
  std::function<double()> random;  ///< [0,1): jitter and run ids
  std::function<void(double)>
      table_throttled;  ///< a share of what was asked was left over: a throttle that no status shows
  aws::lambda_client* functions = nullptr;  ///< null: Lambda is not to be asked

  /// The bucket's clock: the Date of the latest answer, the epoch before the first.
  [[nodiscard]] s3::time_point bucket_time() const {
    return std::max(objects.service_time(), urgent_objects.service_time());
  }
};

/// Takes over what the transports counted, at the end of a run.
void take_counters(const progress& seen, report& out);

}  // namespace dynabackup::pipelines
