"""Somebody who writes to a table while it is backed up: random puts, updates and deletes of 2,000 keys."""
import random
import threading
import time

KEYS = 2000


class Writer(threading.Thread):
    """`writes` changes, never further than `allowed`."""

    def __init__(self, dynamodb, table, writes, seed, allowed=0):
        super().__init__(daemon=True)
        self.dynamodb, self.table, self.writes = dynamodb, table, writes
        self.rng = random.Random(seed)
        self.done, self.allowed = 0, allowed
        self.failure = None

    def run(self):
        try:
            while self.done < self.writes:
                if self.done >= self.allowed:
                    time.sleep(0.02)
                    continue
                self.done += self.update() if self.rng.random() < 0.5 else self.batch()
        except Exception as e:  # told by whoever waits for us
            self.failure = e

    def reach_allowed(self, seconds=1800):
        ends = time.monotonic() + seconds
        while self.done < min(self.allowed, self.writes) and self.failure is None:
            assert time.monotonic() < ends, f"the writer is at {self.done} of {self.allowed}"
            time.sleep(0.1)
        assert self.failure is None, f"the writer stopped: {self.failure}"

    def stop(self):
        """After the write under way; returns how many there were."""
        self.writes = 0
        self.join(60)
        assert self.failure is None and not self.is_alive(), f"the writer stopped: {self.failure}"
        return self.done

    def update(self):
        self.dynamodb.update_item(
            TableName=self.table, Key={"pk": {"S": f"k{self.rng.randrange(KEYS)}"}},
            UpdateExpression="SET n = :n, t = :t", ExpressionAttributeValues={
                ":n": {"N": str(self.done)}, ":t": {"S": "u" * self.rng.randrange(200)}})
        return 1

    def batch(self):
        requests = []
        for key in self.rng.sample(range(KEYS), min(25, max(1, self.writes - self.done))):
            name = {"pk": {"S": f"k{key}"}}
            requests.append({"DeleteRequest": {"Key": name}} if self.rng.random() < 0.3 else {"PutRequest": {"Item": {
                **name, "n": {"N": str(self.done)}, "b": {"B": self.rng.randbytes(self.rng.randrange(1, 100))},
                "s": {"SS": ["a", f"b{self.done}"]}}}})
        left = {self.table: requests}
        while left:
            left = self.dynamodb.batch_write_item(RequestItems=left).get("UnprocessedItems")
        return len(requests)
