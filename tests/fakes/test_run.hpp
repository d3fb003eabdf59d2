// A run_context over two scripted networks and a clock the test owns.
#pragma once
#include "fakes/fake_clock.hpp"
#include "fakes/run_task.hpp"
#include "fakes/scripted_transport.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::fakes {

struct test_run {
  scripted_transport table_network;
  scripted_transport object_network;
  fake_clock clock;
  runtime::interruption stop;
  progress seen;
  int throttled = 0;
  dynamodb::client tables{table_network, {.tls = false, .host = "tables.test", .port = 80}};
  s3::client objects{object_network, {.region = "us-east-1", .endpoint = "http://objects.test", .path_style = true}};
  pipelines::run_context run{.tables = tables,
                             .objects = objects,
                             .clock = clock,
                             .stop = stop,
                             .seen = seen,
                             .table_parallelism = 4,
                             .object_parallelism = 4,
                             .segments = 0,
                             .memory_bytes = std::size_t{32} << 20,
                             .random = [] { return 0.5; },
                             .table_throttled = [this] { ++throttled; }};
};

}  // namespace dynabackup::fakes
