// A run_context over two scripted networks and a clock the test owns.
#pragma once
#include "fakes/fake_clock.hpp"
#include "fakes/run_task.hpp"
#include "fakes/scripted_transport.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::fakes {

inline s3::client_settings object_store() {
  s3::client_settings settings;
  settings.region = "us-east-1";
  settings.endpoint = "http://objects.test";
  settings.path_style = true;
  return settings;
}

struct test_run {
  scripted_transport table_network;
  scripted_transport object_network;
  fake_clock clock;
  runtime::interruption stop;
  progress seen;
  int throttled = 0;
  dynamodb::client tables{table_network, {.tls = false, .host = "tables.test", .port = 80}};
  dynamodb::streams_client streams{table_network, {.tls = false, .host = "tables.test", .port = 80}};
  s3::client objects{object_network, object_store()};
  pipelines::capacity reads;
  pipelines::capacity writes;
  pipelines::run_context run = over(tables, objects);

  /// The same over clients of the test's own.
  pipelines::run_context over(dynamodb::client& of_tables, s3::client& of_objects) {
    return {.tables = of_tables,
            .streams = streams,
            .objects = of_objects,
            .urgent_objects = of_objects,
            .clock = clock,
            .stop = stop,
            .seen = seen,
            .table_parallelism = 4,
            .object_parallelism = 4,
            .segments = 0,
            .memory_bytes = std::size_t{32} << 20,
            .reads = reads,
            .writes = writes,
            .random = [] { return 0.5; },
            .table_throttled = [this](double) { ++throttled; }};
  }
};

}  // namespace dynabackup::fakes
