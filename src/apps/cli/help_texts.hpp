// What --help says around the lists of options, which arguments.cpp makes from the options themselves.
#pragma once

namespace dynabackup::cli {

inline constexpr auto program = "dynamodb-backup";

inline constexpr auto usage =
    R"(Usage: dynamodb-backup backfill <table>                every item of a table into the incremental bucket
       dynamodb-backup snapshot [<name>] [--table T]   that bucket's current state into one file (--at: a past one)
       dynamodb-backup restore <table> <snapshot>      a snapshot into an existing table (or --at <time>)
       dynamodb-backup follow <table>                  its changes into that bucket, as they happen
       dynamodb-backup history --key <key>             every version of one item, and what changed
       dynamodb-backup show --key <key> [--at <time>]  one item, as it is or as it was
       dynamodb-backup config                          the settings in force and where they come from
       (also --backfill <table>, --snapshot, --restore <table> <snapshot>)
More:  dynamodb-backup --help, or <command> --help
)";

inline constexpr auto overview = "Backs up DynamoDB tables to S3 and restores them.";

inline constexpr auto overview_end = R"(
A setting may also stand in the environment, under the name in capitals, or in a configuration file, under the name with
the dots:
  s3 {
    incremental { bucket = backup-bucket, prefix = "backup/{table}" }
    snapshot { bucket = snapshot-bucket }
  }
  dynamodb { region = eu-central-1 }
The command line beats the file, the file beats the environment. `dynamodb-backup config` shows what is in force.
--max-read-units and --max-write-units leave the rest of a table's capacity to others. --dry-run, after a command, says
what it would do and what that costs, and writes nothing.
Credentials come from AWS's variables and files: AWS_ACCESS_KEY_ID and its like, AWS_PROFILE, ~/.aws.

Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 finished, but something differs, was left out or is not
covered; 130 interrupted.

Examples:
  dynamodb-backup backfill users --incremental-bucket my-backups --dynamodb-region eu-central-1
  dynamodb-backup follow users --config backup.conf
  dynamodb-backup snapshot before-migration.json.gz --config backup.conf
  dynamodb-backup restore users-copy before-migration.json.gz --config backup.conf --output json
)";

inline constexpr auto backfill_end = R"(
Reads the whole table and stores each item as its own object; what the stream has already written is never overwritten.
Run it once after changes began to be recorded, or by itself for a one-off backup. It may be repeated at any time.
An interrupted one goes on where it stopped when it is run again within 24 hours. Beside a stream it ends with a sweep:
items that were deleted from the table while it ran are taken out of the backup again. --sweep does only that, behind
runs that were killed, and closes them.

Needs: s3.incremental.bucket, dynamodb.region. All settings: dynamodb-backup --help

Examples:
  dynamodb-backup backfill users --config backup.conf
  INCREMENTAL_BUCKET=my-backups DYNAMODB_REGION=eu-central-1 dynamodb-backup backfill users --parallelism 64
  dynamodb-backup backfill users --config backup.conf --dry-run
  dynamodb-backup backfill users --config backup.conf --max-read-units 500
  dynamodb-backup backfill users --config backup.conf --sweep
)";

inline constexpr auto snapshot_end = R"(
Writes the current state of the incremental bucket as one file of DynamoDB JSON, an item a line. The file appears only
when it is complete. If the backfills behind it left something open it says so and exits with 3.

--at gives the state at a past moment instead: what had arrived in the bucket by the end of that second, by the bucket's
clock, from which -2h and its like count back. How far the recorder was behind then, it says. Where the bucket cannot
tell for sure (not versioned, old versions expired, before the first backfill or while one was under way, changes
missing) it says why and writes nothing; --accept-incomplete takes what there is, and exits with 3.

Needs: s3.incremental.bucket, s3.snapshot.bucket. All settings: dynamodb-backup --help

Examples:
  dynamodb-backup snapshot --config backup.conf
  dynamodb-backup snapshot users-friday.json.zst --compression zstd --table users --config backup.conf
  dynamodb-backup snapshot --at 2026-11-22T11:45:03Z --config backup.conf
  dynamodb-backup snapshot before-the-deploy.json.gz --at -2h --config backup.conf
)";

inline constexpr auto restore_end = R"(
Inserts every item of the snapshot into the table, which must exist. It is not emptied: items with other keys stay.
How far it is, it notes in --state: a folder (~/.local/state/dynabackup if not given), or s3, beside the snapshot. An
interrupted one goes on from there with --resume; without, it begins anew, which gives the same table.

With --at no snapshot is needed: the items come straight from the incremental bucket, as they were at that moment. Where
the bucket cannot tell for sure it says why and writes nothing, as `snapshot --at` does.

Needs: s3.snapshot.bucket (with --at: s3.incremental.bucket), dynamodb.region. All settings: dynamodb-backup --help

Examples:
  dynamodb-backup restore users 2026-11-22T11-45-03Z.json.gz --config backup.conf
  dynamodb-backup restore users-copy users-friday.json.zst --table users --config backup.conf
  dynamodb-backup restore users 2026-11-22T11-45-03Z.json.gz --config backup.conf --resume
  dynamodb-backup restore users 2026-11-22T11-45-03Z.json.gz --config backup.conf --max-write-units 1000
  dynamodb-backup restore users-copy --at -2h --table users --config backup.conf
)";

inline constexpr auto follow_end = R"(
Reads the table's DynamoDB Stream and records every change in the bucket, each as a version of its item's object; a
deletion leaves a delete marker. It begins with the oldest change that the stream still has (a day back) and goes on
until it is told to stop, with Ctrl-C or SIGTERM: then it settles what it has read, saves how far it is and exits with
130. Start it again within a day and it goes on from there. Changes that it came too late for are gone: it says so,
notes a gap in the bucket and exits with 3 in the end; a backfill then brings what is missing.
Only one may follow into a prefix: a second one is refused with exit code 2. When one was killed, the next can start
half a minute later. A function in AWS Lambda that reads the stream too is warned of, if these credentials may ask.
A stream holds changes only. Run `backfill` once while this runs: it brings the items that were there before. Begin it
when `behind` in the progress line is seconds: older changes that come later would be on top until they are through.

--enable-stream switches on a stream with new and old images where the table has none. A stream of another view type
than NEW_IMAGE or NEW_AND_OLD_IMAGES cannot be followed.

Needs: s3.incremental.bucket, dynamodb.region. All settings: dynamodb-backup --help

Examples:
  dynamodb-backup follow users --config backup.conf
  dynamodb-backup follow users --enable-stream --incremental-bucket my-backups --dynamodb-region eu-central-1
  dynamodb-backup follow users --config backup.conf --coalesce --output json
)";

inline constexpr auto history_end = R"(
Prints every version of one item that the incremental bucket has, newest first: when it arrived there, when the change
happened, by what it came (the stream, a backfill, a deletion), its sequence number, and how it differs from the version
before: + added, - removed, ~ changed. Long values are cut; `show` prints them whole. A key without versions is an
answer too, with exit code 0; if the backup is not covered, it says so and exits with 3.

The key: NAME=VALUE for each key attribute, as text, number or base64 (the bucket knows the types), or DynamoDB JSON.
--output json: one object, in whose array `versions` each version is a line of its own.

Needs: s3.incremental.bucket. All settings: dynamodb-backup --help

Examples:
  dynamodb-backup history --key id=user-1 --config backup.conf
  dynamodb-backup history --key pk=a --key sk=5 --table orders --config backup.conf
  dynamodb-backup history --key '{"pk":{"S":"a"},"sk":{"N":"5"}}' --config backup.conf --output json
)";

inline constexpr auto show_end = R"(
Prints one item whole, as it is in the incremental bucket, or with --at as it was: the newest of its versions that had
arrived in the bucket at that second. That there was none, or that it was deleted, is an answer too, with exit code 0;
if the backup is not covered at that moment, it says so and exits with 3.

The key: NAME=VALUE for each key attribute, as text, number or base64 (the bucket knows the types), or DynamoDB JSON.
--output json has the item in DynamoDB JSON, at .versions[0].item.

Needs: s3.incremental.bucket. All settings: dynamodb-backup --help

Examples:
  dynamodb-backup show --key id=user-1 --config backup.conf
  dynamodb-backup show --key id=user-1 --at -2h --config backup.conf
  dynamodb-backup show --key pk=a --key sk=5 --at 2026-11-22T11:45:03Z --config backup.conf --output json
)";

inline constexpr auto config_end = R"(
Passwords and keys are never shown.

Example:
  dynamodb-backup config --config backup.conf
)";

}  // namespace dynabackup::cli
