"""Each source of credentials, served on loopback, carries a real backfill; none of what it hands out is ever printed."""
import hand_out
import harness
import samples

NO_KEYS = {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}
ITEMS = 5
BASE_SECRET = "base-secret-0123456789"


class Setup(harness.StackTest):
    def setUp(self):
        super().setUp()
        self.source = self.serve(hand_out.HandOut(harness.STACK["AWS_ACCESS_KEY_ID"], harness.STACK["AWS_SECRET_ACCESS_KEY"]))
        self.source.secrets["BASEKEY"] = BASE_SECRET
        self.s3_gate = self.serve(hand_out.Gate(harness.STACK["AWS_ENDPOINT_URL_S3"], self.source))
        self.table_gate = self.serve(hand_out.Gate(harness.STACK["AWS_ENDPOINT_URL_DYNAMODB"], self.source))
        self.behind_gates = {**NO_KEYS, "AWS_ENDPOINT_URL_STS": self.source.url, "AWS_ENDPOINT_URL_S3": self.s3_gate.url,
                             "AWS_ENDPOINT_URL_DYNAMODB": self.table_gate.url}

    def serve(self, server):
        self.addCleanup(server.stop)
        return server

    def run_binary(self, *arguments, **environment):
        run = super().run_binary(*arguments, **environment)
        secrets = [BASE_SECRET, harness.STACK["AWS_SECRET_ACCESS_KEY"], "web-identity-token", "agent-token", *self.source.expiry]
        for secret in secrets:
            self.assertNotIn(secret, run.stdout + run.stderr)
        return run

    def filled_table(self, count=ITEMS):
        table = self.table(suffix="source")
        self.load(table, samples.generated_items(count))
        return table

    def carries_a_backfill(self, *options, **environment):
        table = self.filled_table()
        run = self.expect(0, "backfill", table, *options, **{**self.behind_gates, **environment})
        self.assertEqual(run.items_written, ITEMS)
        self.assertEqual(len(self.item_keys()), ITEMS)
        self.assertEqual(self.s3_gate.refused + self.table_gate.refused, [])

    def config(self, text):
        return {"AWS_CONFIG_FILE": self.file("config", text)}


class Sources(Setup):
    def test_a_role_of_a_profile(self):
        self.carries_a_backfill("--profile", "backup", **self.config(
            "[profile backup]\nrole_arn = arn:aws:iam::1:role/backup\nsource_profile = base\nexternal_id = x/1\n"
            f"[profile base]\naws_access_key_id = BASEKEY\naws_secret_access_key = {BASE_SECRET}\n"))
        self.assertEqual([(a["Action"], a["RoleArn"], a["ExternalId"], a["signed by"]) for a in self.source.asked],
                         [("AssumeRole", "arn:aws:iam::1:role/backup", "x/1", "BASEKEY")])

    def test_a_chain_of_roles(self):
        self.source.key_of_role["arn:inner"] = "INNERKEY"
        self.carries_a_backfill(AWS_PROFILE="outer", **self.config(
            "[profile outer]\nrole_arn = arn:outer\nsource_profile = inner\nrole_session_name = chain-test\n"
            "[profile inner]\nrole_arn = arn:inner\nsource_profile = base\n"
            f"[profile base]\naws_access_key_id = BASEKEY\naws_secret_access_key = {BASE_SECRET}\n"))
        self.assertEqual([(a["RoleArn"], a["signed by"]) for a in self.source.asked],
                         [("arn:inner", "BASEKEY"), ("arn:outer", "INNERKEY")])
        self.assertEqual(self.source.asked[1]["RoleSessionName"], "chain-test")

    def test_a_role_assumed_with_the_environment(self):
        self.carries_a_backfill("--profile", "backup", AWS_ACCESS_KEY_ID="BASEKEY", AWS_SECRET_ACCESS_KEY=BASE_SECRET,
                                **self.config("[profile backup]\nrole_arn = arn:r\ncredential_source = Environment\n"))
        self.assertEqual([a["signed by"] for a in self.source.asked], ["BASEKEY"])

    def test_a_role_assumed_with_the_container(self):
        self.carries_a_backfill("--profile", "backup", AWS_CONTAINER_CREDENTIALS_FULL_URI=self.source.url + "/agent",
                                **self.config("[profile backup]\nrole_arn = arn:r\ncredential_source = EcsContainer\n"))
        self.assertEqual(self.source.asked[0]["path"], "/agent")
        self.assertEqual(self.source.asked[1]["signed by"], harness.STACK["AWS_ACCESS_KEY_ID"])

    def test_a_web_identity_of_the_environment(self):
        self.carries_a_backfill(AWS_ROLE_ARN="arn:web", AWS_ROLE_SESSION_NAME="pod",
                                AWS_WEB_IDENTITY_TOKEN_FILE=self.file("token", "web-identity-token\n"))
        [asked] = self.source.asked
        self.assertEqual((asked["Action"], asked["RoleSessionName"], asked["WebIdentityToken"], asked["signed by"]),
                         ("AssumeRoleWithWebIdentity", "pod", "web-identity-token", None))

    def test_a_web_identity_of_a_profile(self):
        token = self.file("token", "web-identity-token")
        self.carries_a_backfill(AWS_PROFILE="web", **self.config(
            f"[profile web]\nrole_arn = arn:web\nweb_identity_token_file = {token}\n"))
        self.assertEqual(self.source.asked[0]["WebIdentityToken"], "web-identity-token")

    def test_a_container(self):
        self.carries_a_backfill(AWS_CONTAINER_CREDENTIALS_FULL_URI=self.source.url + "/agent?for=task",
                                AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=self.file("token", "agent-token"))
        self.assertEqual(self.source.asked, [{"Authorization": "agent-token", "path": "/agent?for=task"}])

    def test_credentials_that_live_for_seconds_carry_a_run_for_many_of_their_lives(self):
        self.source.life = 4
        self.s3_gate.pause = 0.1
        table = self.filled_table(120)
        run = self.expect(0, "backfill", table, "--parallelism", "1",
                          **{**self.behind_gates, "AWS_CONTAINER_CREDENTIALS_FULL_URI": self.source.url + "/agent"})
        self.assertEqual(run.items_written, 120)
        self.assertGreater(run.seconds, 2 * self.source.life)
        self.assertGreaterEqual(len(self.source.asked), 3)
        self.assertEqual(self.s3_gate.refused + self.table_gate.refused, [], "each was replaced before it expired")

    def test_a_token_that_a_service_refuses_in_mid_run_is_replaced_once(self):
        table = self.filled_table(100)
        self.s3_gate.revoke_after = 50
        self.s3_gate.pause = 0.02
        run = self.expect(0, "backfill", table,
                          **{**self.behind_gates, "AWS_CONTAINER_CREDENTIALS_FULL_URI": self.source.url + "/agent"})
        self.assertEqual(run.items_written, 100)
        self.assertEqual(len(self.item_keys()), 100)
        self.assertEqual(len(self.source.asked), 2)
        self.assertEqual(len(set(self.s3_gate.refused)), 1)

    def test_a_file_that_a_tool_rewrites_in_mid_run_is_read_again(self):
        table = self.filled_table(100)
        written = "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n"
        keys = (harness.STACK["AWS_ACCESS_KEY_ID"], harness.STACK["AWS_SECRET_ACCESS_KEY"])
        path = self.file("credentials", written.format(*keys, self.source.issue()[0]))
        self.s3_gate.revoke_after = 50
        self.s3_gate.pause = 0.05
        started = self.start("backfill", table, "--parallelism", "1", "--output", "json",
                             **{**self.behind_gates, "AWS_SHARED_CREDENTIALS_FILE": path})
        self.wait_for("some items", lambda: self.s3_gate.passed > 20)
        self.file("credentials", written.format(*keys, self.source.issue()[0]))
        run = started.finish(60)
        self.assertEqual(run.exit_code, 0, run)
        self.assertEqual(run.items_written, 100)

    def test_keys_in_the_environment_that_expired_are_named_with_their_place(self):
        token = self.source.issue()[0]
        self.source.expiry[token] = 0
        table = self.filled_table()
        run = self.refused(1, ["ExpiredToken", "keys in use: environment", "renew"], "backfill", table,
                           **{**self.behind_gates, "AWS_ACCESS_KEY_ID": harness.STACK["AWS_ACCESS_KEY_ID"],
                              "AWS_SECRET_ACCESS_KEY": harness.STACK["AWS_SECRET_ACCESS_KEY"], "AWS_SESSION_TOKEN": token})
        self.assertEqual(len(self.table_gate.refused), 1, run)
        self.assertEqual(self.source.asked, [])


class Refusals(Setup):
    def test_what_sts_refuses_is_told_with_the_role(self):
        self.source.refusal = (403, "AccessDenied")
        run = self.refused(1, ["AssumeRoleWithWebIdentity on arn:web", "AccessDenied", "r-1"], "backfill", "some-table",
                           **{**self.behind_gates, "AWS_ROLE_ARN": "arn:web",
                              "AWS_WEB_IDENTITY_TOKEN_FILE": self.file("token", "web-identity-token")})
        self.assertEqual(len(self.source.asked), 1, run)

    def test_an_agent_that_refuses(self):
        self.source.refusal = (404, "none")
        self.refused(1, ["container credentials", "404"], "backfill", "some-table",
                     **{**self.behind_gates, "AWS_CONTAINER_CREDENTIALS_FULL_URI": self.source.url + "/agent"})
        self.assertEqual(len(self.source.asked), 1)

    def test_an_agent_that_is_far_away_never_sees_the_token(self):
        self.refused(2, ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "agent.example", "https"], "backfill", "some-table",
                     **{**self.behind_gates, "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://agent.example/",
                        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "agent-token"})

    def test_a_token_file_that_is_not_there(self):
        self.refused(2, ["/no/such/token", "AWS_WEB_IDENTITY_TOKEN_FILE"], "backfill", "some-table",
                     **{**self.behind_gates, "AWS_ROLE_ARN": "arn:web", "AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/token"})

    def test_an_sts_that_nobody_reaches(self):
        self.refused(1, ["AssumeRoleWithWebIdentity on arn:web", "127.0.0.1:9"], "backfill", "some-table",
                     **{**self.behind_gates, "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9", "AWS_ROLE_ARN": "arn:web",
                        "AWS_WEB_IDENTITY_TOKEN_FILE": self.file("token", "web-identity-token")})
