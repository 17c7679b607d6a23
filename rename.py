#!/usr/bin/env python3
"""Gives identifiers, files and comments that talk the field's words. Run it at the top of a clone of SteerDNS.

    rename.py [--dry] [--no-format]

Idempotent: the old words do not exist after a run. Files that do not exist are left out. String literals stay, except where a
row of TEXT says otherwise. What the tables do not name is renamed by the defaults (GLOBAL), so that new code that uses
the old names follows. C++: all tracked .cpp .h .c; Python: names, also inside f-strings; comments: prose (PROSE).
"""
import fnmatch
import io
import os
import re
import subprocess
import sys
import tokenize
from concurrent.futures import ThreadPoolExecutor

# ---------------------------------------------------------------------------------------------------------------- files

MOVES = [
    ("dataplane/forward/asking.cpp", "dataplane/forward/requests.cpp"),
    ("dataplane/forward/handing_out.cpp", "dataplane/forward/results.cpp"),
    ("tests/unit/forward/asking_test.cpp", "tests/unit/forward/requests_test.cpp"),
    ("tools/lab/which_way.py", "tools/lab/which_egress.py"),
]
MOVE_GLOBS = [(r"^(tests/import/bad/.*)\.said$", r"\1.expected")]

# Exact texts: file glob, pattern, replacement. Applied first, to the whole text of a file (also strings).
TEXT = [
    ("*", r"dataplane/forward/asking\.cpp", "dataplane/forward/requests.cpp"),
    ("*", r"dataplane/forward/handing_out\.cpp", "dataplane/forward/results.cpp"),
    ("*", r"\basking_test\.cpp", "requests_test.cpp"),
    ("*", r"\bwhich_way\.py", "which_egress.py"),
    ("dataplane/forward/*", r"\basking\.cpp", "requests.cpp"),
    ("dataplane/forward/*", r"\bhanding_out\.cpp", "results.cpp"),
    ("dataplane/forward/meson.build", r"files\('requests\.cpp', ", "files("),
    ("dataplane/forward/meson.build", r"'forwarder\.cpp', 'results\.cpp',\n  'outstanding_queries\.cpp', 'replies\.cpp',",
     "'forwarder.cpp',\n  'outstanding_queries.cpp', 'replies.cpp', 'requests.cpp', 'results.cpp',"),
    ("tests/e2e/import_e2e.py", r'"\.said"', '".expected"'),
    ("tests/import/README.md", r"NAME\.said", "NAME.expected"),
    # One word that means two things in one file.
    ("dataplane/stages/packet_cache.cpp", r"std::uint8_t way\)", "std::uint8_t frontend_class)"),
    ("dataplane/stages/packet_cache.cpp", r"std::uint64_t\{way\}", "std::uint64_t{frontend_class}"),
    ("dataplane/stages/packet_cache.h", r"message and way\.", "message and frontend class."),
    ("dataplane/stages/packet_cache.h", r"`way`: distinguishes", "`frontend_class`: distinguishes"),
    ("dataplane/forward/*", r"\basking (quer)", r"requesting \1"),
    ("dataplane/forward/*", r"// asking: the", "// requesting: the"),
    ("dataplane/forward/*", r"Ends asking and begins to hand out", "Ends requesting and begins delivering"),
    ("dataplane/forward/*", r"Ends asking:", "Ends requesting:"),
    ("dataplane/forward/*", r"Asking is over", "Requests are over"),
    ("control/streams/upstream/http_upstream.cpp", r"---- asking", "---- requests"),
    ("dataplane/cache/key_lanes.h", r"The widest way that", "The widest lanes that"),
    ("dataplane/port/xdp_steering.cpp", r"EINVAL of the first way:", "EINVAL of the link:"),
    ("dataplane/port/xdp_steering.cpp", r"the second way distinguishes", "the attachment distinguishes"),
    ("dataplane/stages/idle.h", r"The worse way is", "The worse mode is"),
    ("dataplane/policy/guard.h", r"beside the way of", "beside the path of"),
    ("tools/steerctl/explain_text.cpp", r"a way has many lines", "a trace has many lines"),
    ("control/config/settings/port_settings.h", r"its way to the kernel", "its path to the kernel"),
    ("control/observe/trace/trace_service.h", r"its whole way;", "its whole path;"),
    ("control/operator/doctor/checks.h", r"out of the way of", "past"),
    ("dataplane/*", r"\bquery_ends\.came\(", "query_ends.received("),
    ("tests/unit/control/ops/metrics_test.cpp", r"\bq\.came\(", "q.received("),
    ("dataplane/*", r"\bburst\.looked_up\b", "burst.has_lookup"),
    ("dataplane/stages/burst.h", r"\blooked_up\b", "has_lookup"),
    ("dataplane/stages/resolver.cpp", r"\bbool told\b", "bool has_client"),
    ("dataplane/stages/resolver.cpp", r"failed && told &&", "failed && has_client &&"),
    ("tests/unit/routeros/others_test.cpp", r"auto said = lab\.sim", "auto before = lab.sim"),
    ("tests/unit/routeros/others_test.cpp", r"sentences - said\b", "sentences - before"),
    ("tests/unit/routeros/transport_test.cpp", r"vector<AddressBytes> told", "vector<AddressBytes> addresses"),
    ("tests/unit/routeros/transport_test.cpp", r"\btold\.(assign|empty|end|begin)\b", r"addresses.\1"),
    ("tests/unit/routeros/transport_test.cpp", r"find\(told,", "find(addresses,"),
    ("tests/unit/control/fleet/fleet_test.cpp", r"\bsink\.said\(", "sink.logged("),
    ("control/api/rpc/http_connection.h", r"to a newer connection", "by a newer connection"),
    ("tests/bench/fleet_claims.py", r"\bsaid = announce\(", "parameters = announce("),
    ("tests/bench/fleet_claims.py", r'"parameters": said\b', '"parameters": parameters'),
    ("tests/bench/memif.py", r"\bsaid = announce\(", "parameters = announce("),
    ("tests/bench/memif.py", r'"parameters": said\b', '"parameters": parameters'),
    ("tests/bench/observability.py", r"\bsaid = announce\(", "parameters = announce("),
    ("tests/bench/observability.py", r'"parameters": said\b', '"parameters": parameters'),
    ("tests/e2e/doctor_e2e.py", r"for said, what in", "for claimed, what in"),
    ("tests/e2e/doctor_e2e.py", r'"--claim-version", said\b', '"--claim-version", claimed'),
    ("tools/lab/probed.py", r"by each way\b", "by each egress"),
    ("tools/lab/which_egress.py", r"from which way a connection comes", "by which egress a connection comes"),
    ("tools/lab/which_egress.py", r"WAYS", "EGRESSES"),
    ("tools/lab/which_egress.py", r"the way's name", "the egress's name"),
    ("tests/unit/steerctl/announcement_test.cpp", r"\bone\.heard\(", "one.received("),
    ("tests/packet/workers_test.cpp", r"\bbool told\b", "bool has_answer"),
    ("tests/packet/workers_test.cpp", r"= told \? OverQuota", "= has_answer ? OverQuota"),
    ("tests/packet/workers_test.cpp", r", told \? (\d)", r", has_answer ? \1"),
]

# ---------------------------------------------------------------------------------------------------------------- words

# Identifiers of the whole tree, C++.
GLOBAL = {
    # trouble
    "trouble": "error", "trouble_": "error_", "troubles": "errors", "kPassesAfterTrouble": "kPassesAfterError",
    "Trouble": "Overload", "kTroubles": "kOverloads", "STEER_TROUBLES": "STEER_OVERLOADS",
    "trouble_with_time": "validity_error", "certificate_trouble": "certificate_error", "pin_trouble": "pin_error",
    "name_trouble": "name_error", "expression_trouble": "expression_error", "trouble_with": "find_failure",
    "needed_lists_trouble": "needed_lists_error", "row_trouble": "row_error", "tracking_trouble": "tracking_error",
    "set_trouble": "set_error", "trouble_since_ms_": "error_since_ms_", "last_trouble": "last_error", "on_trouble": "on_error",
    "write_trouble": "write_error", "learn_trouble": "learn_error", "age_trouble": "age_error",
    "daemon_trouble_": "daemon_error_", "bird_trouble_": "bird_error_", "has_trouble": "has_error",
    # look
    "look": "check", "looks": "checks", "look_at": "inspect", "look_at_rule": "inspect_rule", "look_at_zone": "inspect_zone",
    "look_at_records": "inspect_records", "look_again": "check_timer", "look_due": "check_due", "schedule_look": "schedule_check",
    "look_at_host": "read_host", "look_at_this_host": "read_this_host", "look_at_memory": "read_memory_facts",
    "look_around": "read_surroundings", "look_at_helpers": "check_helpers", "kLookEvery": "kCheckEvery",
    "kLookEveryMs": "kCheckEveryMs", "kStepsBetweenLooks": "kStepsBetweenChecks", "kRowsBetweenLooks": "kRowsBetweenChecks",
    "kLooks": "kAttempts", "kBetweenLooks": "kBetweenAttempts", "looks_up": "is_lookup", "look_at_all": "inspect_all",
    "look_into": "read_file", "looked_": "checked_", "look_after_interfaces": "check_interfaces", "last_look": "is_last_pass",
    "next_look_": "next_check_", "kTicksPerLook": "kTicksPerPoll", "looks_": "polls_", "end_looks": "end_polls",
    "kLookMs": "kCheckMs", "looked_ms": "checked_ms", "kLookPatienceMs": "kPollPatienceMs", "looked_ms_": "checked_ms_",
    "add_looks": "add_reads", "look_ms_": "next_check_ms_", "kLookedAt": "kInspected", "kLooked": "kInspected",
    "looking": "scanning", "looking_": "resolving_", "is_looking": "is_resolving", "look_up": "lookup",
    "look_at_attempts": "check_attempts", "look_at_connections": "check_connections", "Look": "Visit", "looked_at": "inspected",
    "look_for": "check_list", "look_into_fallbacks": "inspect_fallbacks", "look_into_probes": "inspect_probes",
    "looked_up": "lookup_cache", "look_at_mtu": "check_mtu", "look_for_device": "find_device", "look_ms": "print_due_ms",
    "looked": "checked", "looked_in_part": "end_print_early", "look_began_ms_": "print_began_ms_", "looked_for": "searched",
    "look_alive": "check_alive", "only_looks": "is_read_only", "kLook": "kPollEvery", "look_": "poll_timer_",
    "look_of": "appearance_of",
    # way
    "gave_way": "is_displaced", "kStillOnItsWayMs": "kInFlightMs", "under_way": "in_progress", "is_under_way": "is_in_progress",
    "is_under_way_": "is_in_progress_", "under_way_": "in_progress_", "kSharesUnderWay": "kSharesInFlight",
    "shares_under_way_": "shares_in_flight_", "kUnderWay": "kInProgress", "way_in": "management_path", "is_way": "is_path",
    "way_of": "path_of", "way_": "path_", "add_ways_out": "add_egress_tables", "find_ways_to_caches": "find_paths_to_caches",
    "RingWay": "RingTransport", "VhostWay": "VhostTransport", "Way": "Path", "make_way": "clear_leftover",
    "check_way": "check_path", "in_the_way": "conflicting", "wrong_way": "wrong_direction",
    # said
    "said": "reported", "Said": "Reported", "said_": "reported_", "was_said": "was_reported", "said_ms": "logged_ms",
    "said_states_": "sent_states_", "set_said_": "set_message_", "remove_said_": "remove_message_", "is_said": "is_given",
    # told
    "told": "reported", "told_": "reported_", "Told": "Reported", "kTold": "kReported", "is_told": "is_reported",
    "is_told_": "is_sent_", "told_ms": "reported_ms", "told_foreign": "reported_foreign", "told_elsewhere": "shared_address",
    "told_lately": "reported_lately", "since_told_ms": "since_notified_ms", "tell_every_ms": "notify_every_ms",
    "may_be_told": "may_be_disclosed", "untold": "withheld", "is_told_of_quota": "gets_quota_error", "rows_told": "rows_notified",
    # heard
    "heard": "received", "heard_": "received_", "Heard": "Received", "last_heard": "last_request", "RpcHeard": "RpcObserver",
    "heard_ms_": "last_seen_ms_", "heard_ms": "last_seen_ms", "was_heard": "was_received",
    # came
    "came": "received", "as_it_came": "as_received", "any_came": "has_new_box", "trail_came": "on_trail",
    "came_us": "received_us", "came_late": "acknowledged_late",
    # asking, handing out
    "asking": "requesting", "asking_": "requests_", "is_asking": "is_requesting", "is_asking_": "is_requesting_",
    "find_asking": "find_requesting", "stop_asking": "stop_requesting", "end_asking": "end_requesting",
    "handing_out": "delivering", "open_for_handing_out": "open_delivering", "handing_over": "transfer_of_rights",
}

# Where a word means something else: file globs, words. The last row that matches wins. A name with ' / ' is a list of
# candidates: the first one that the file does not have yet.
LOCAL = [
    # ---- look
    ("control/config/advice/why.cpp", {"look": "inspect"}),
    ("control/config/advice/effects.cpp", {"look_at": "add_effects"}),
    ("control/host/kernel/next_hops.cpp", {
        "look": "refresh", "look_again": "refresh_timer", "look_due": "refresh_due", "schedule_look": "schedule_refresh",
        "asking": "kernel_socket"}),
    ("control/host/kernel/static_neighbours.*", {"asking": "requests"}),
    ("control/mdns/mdns.cpp", {"look_at": "check_at"}),
    ("control/observe/lists/hits_service.*", {"look": "poll"}),
    ("control/observe/trace/trace_service.*", {"look": "await_answer", "came": "response"}),
    ("control/observe/recorder/file_threads.*", {"look": "poll"}),
    ("control/operator/doctor/command.cpp", {"look": "inspect", "untold": "unsent"}),
    ("control/operator/doctor/prober.cpp", {"look": "attempt"}),
    ("control/operator/machine/*", {"look": "inspect", "look_at": "read_interface"}),
    ("tests/unit/machine/*", {"look": "inspect"}),
    ("control/program/build/pattern_process.*", {"kLookEveryMs": "kPollEveryMs", "said": "sent"}),
    ("control/program/build/time_windows.*", {"look": "update", "looked_": "updated_"}),
    ("control/runtime/workers_part.cpp", {"look": "update"}),
    ("tests/scenario/world.cpp", {"look": "update"}),
    ("tests/unit/control/build_test.cpp", {"look": "update", "told": "built / wanted", "ways": "rules / many_rules"}),
    ("control/sinks/fleet/fleet.*", {
        "look": "poll", "said": "status", "told_ms": "received_ms"}),
    ("control/sinks/fleet/fleet_service.*", {"look": "poll"}),
    ("tests/unit/control/fleet/fleet_test.cpp", {"look": "poll", "said": "box_status"}),
    ("control/streams/upstream/upstream_name.*", {"look_up": "resolve", "said": "answer / result"}),
    ("dataplane/base/cell_ring.h", {"look": "visit"}),
    ("dataplane/stages/query_record.h", {"look": "visit"}),
    ("dataplane/answer/rpz.cpp", {"look_at": "consider"}),
    ("matchers/pattern/gram_filter.h", {"look": "holds_gram"}),
    ("routeros/connections.*", {
        "look": "begin_print", "looked": "end_print", "looking": "searched", "looking_": "printing_"}),
    ("routeros/router_connections.cpp", {"look": "begin_print", "looked": "end_print"}),
    ("tests/unit/routeros/connections_test.cpp", {"look": "begin_print", "looked": "end_print"}),
    ("tools/steerctl/announce_command.cpp", {"look": "poll", "trouble": "failure / error_text"}),
    ("tools/steerctl/top_screen.cpp", {"Look": "Appearance", "look": "appearance"}),
    ("tests/bench/memif_peer.cpp", {"kLooks": "kPolls", "look": "turn"}),
    ("tests/unit/control/thread_pulses_test.cpp", {"look": "beat"}),
    ("tests/unit/port/unmap_guard_test.cpp", {"look": "turn"}),
    ("tests/unit/dataplane/capture_test.cpp", {"look": "inspect"}),
    ("tests/unit/cache/flush_race_test.cpp", {"look": "read_one"}),
    ("tests/unit/control/stream/upstream/upstream_pool_test.cpp", {"look_up": "resolve"}),
    ("tests/packet/traces_test.cpp", {"looked_up": "from_lookup"}),
    ("tests/support/access_trace.cpp", {"looked": "steps"}),
    ("tests/packet/appliance.cpp", {"came": "queries"}),
    # ---- way
    ("control/operator/doctor/*", {
        "Way": "EgressPath", "way": "path / egress_path", "way_of": "egress_path", "way_": "path_"}),
    ("tests/unit/doctor/*", {"Way": "EgressPath", "way": "path", "way_of": "egress_path"}),
    ("control/operator/machine/*", {"way": "path / use"}),
    ("control/program/reload/port_check.*", {"way": "path / use"}),
    ("control/runtime/ports/port_survey.*", {"way": "path / use"}),
    ("control/observe/trace/trace_json.cpp", {"way": "steps", "said": "extra_text"}),
    ("tools/steerctl/explain_text.cpp", {"way": "steps / table"}),
    ("tests/differential/explain.cpp", {"way": "trail"}),
    ("tools/rossim/outgoing.*", {"under_way_": "in_flight_"}),
    ("dataplane/port/*", {"Way": "Transport", "way": "transport", "way_": "transport_"}),
    ("dataplane/stages/packet_cache.h", {"way": "frontend_class"}),
    ("dataplane/stages/packet_cache_stage.*", {"way": "frontend_class", "way_of": "frontend_class"}),
    ("tests/fuzz/dataplane/fuzz_upstream_reply.cpp", {"way": "variant"}),
    ("tests/packet/traces_test.cpp", {"way": "kind / transport_kind"}),
    ("tests/unit/routeros/*", {"ways": "variant", "way": "variant"}),
    # ---- said, told, heard, came in control
    ("control/api/rpc/json_rpc.*", {"heard": "observer"}),
    ("control/host/resolver/*", {"Said": "ResolverReply", "said": "reply / parsed"}),
    ("control/observe/health/overload_watch.*", {"said": "logged", "trouble": "overload"}),
    ("dataplane/stages/resolver.cpp", {"trouble": "overload"}),
    ("control/operator/doctor/tell.*", {"Told": "WatchState", "told": "state / watch_state"}),
    ("control/operator/doctor/watch.*", {"Told": "WatchState", "told": "state / watch_state"}),
    ("control/operator/doctor/*", {"Told": "WatchState", "Heard": "Solicited"}),
    ("tests/unit/doctor/*", {"Told": "WatchState", "Heard": "Solicited"}),
    ("control/operator/init/dialogue.cpp", {"said": "typed / entered"}),
    ("control/program/reload/reloader.cpp", {"came": "fetched"}),
    ("tools/steerctl/capture_file.*", {"trouble": "read_error"}),
    ("tools/steerctl/replay_commands.cpp", {"trouble": "read_error"}),
    ("control/sinks/kernel_sets/set_life.h", {"heard": "last_message"}),
    ("control/sinks/kernel_sets/set_sink_process.cpp", {"heard": "last_message"}),
    ("control/sinks/set_process/ipset_writer.*", {"Said": "Messages", "said": "messages", "said_": "messages_"}),
    ("control/sinks/set_process/nftables_writer.cpp", {"said": "listed"}),
    ("control/sinks/set_process/route_writer.cpp", {"trouble": "error_text"}),
    ("control/sinks/set_process/plan_reader.*", {"Said": "Progress"}),
    ("control/sinks/set_process/set_helper.cpp", {"Said": "Progress", "said": "progress"}),
    ("tests/fuzz/control/fuzz_set_messages.cpp", {"Said": "Progress", "said": "progress"}),
    ("tests/unit/control/sets/messages_test.cpp", {"Said": "Progress", "said": "progress"}),
    ("control/streams/fetch/list_fetch.cpp", {"came": "fetched"}),
    ("control/streams/http/http_answer.cpp", {"said": "formatted_s"}),
    ("control/streams/upstream/socks5.*", {"said": "reply"}),
    ("control/streams/upstream/upstream_connect.*", {"said": "message"}),
    # ---- dataplane
    ("dataplane/event/shared_watch.*", {"Told": "Report", "told": "report", "kTold": "kReports", "told_": "reports_"}),
    ("dataplane/event/claims.cpp", {"told": "sent"}),
    ("dataplane/forward/outstanding_queries.*", {"is_told": "is_disclosed"}),
    ("dataplane/policy/*", {"is_told": "is_disclosed"}),
    ("dataplane/port/ethdev.cpp", {"said": "cause / logged"}),
    ("dataplane/stages/resolver.cpp", {"said": "extras", "told": "answered / client_record"}),
    ("dataplane/worker.cpp", {"came": "queries_received"}),
    ("matchers/name_text.cpp", {"said": "start"}),
    # ---- routeros
    ("routeros/probe.cpp", {"said": "message"}),
    ("routeros/router.*", {"heard": "note_activity"}),
    # ---- tools
    ("tools/fleet_sim/redis_model.cpp", {"said": "result / reply_of"}),
    ("tools/rossim/machine.*", {"Told": "Notice", "told": "notice", "told_": "notices_"}),
    ("tools/rossim/records.*", {"Told": "Observer", "told": "observer", "told_": "observer_"}),
    ("tools/steerctl/https_client.cpp", {"said": "text / first_line"}),
    ("tools/steerctl/routers_text.cpp", {"said": "text / message"}),
    # ---- tests
    ("tests/fuzz/control/fuzz_fetch_bytes.cpp", {"Said": "ResolverReply", "said": "reply"}),
    ("tests/fuzz/control/fuzz_rpc_http.cpp", {"said": "headers"}),
    ("tests/fuzz/control/http_client.h", {"said": "response"}),
    ("tests/fuzz/dns/fuzz_answer.cpp", {"told": "address_places"}),
    ("tests/packet/branches_test.cpp", {"told": "sent"}),
    ("tests/packet/claims_test.cpp", {"told": "shortened"}),
    ("tests/packet/entries_test.cpp", {"told": "answer_to"}),
    ("tests/packet/stale_test.cpp", {"told": "sent"}),
    ("tests/packet/workers_test.cpp", {"told": "sent"}),
    ("tests/schedules/*", {"told": "logged"}),
    ("tests/support/silent_router.h", {"said": "logged"}),
    ("tests/unit/config/*", {"said": "reported"}),
    ("tests/unit/control/capture/capture_service_test.cpp", {"said": "reply / status"}),
    ("tests/unit/control/certificate_watch_test.cpp", {"said": "logged"}),
    ("tests/unit/control/doctor_reports_test.cpp", {"told": "news_of"}),
    ("tests/unit/control/image_folder_test.cpp", {"said": "logged"}),
    ("tests/unit/control/kernel_sets/set_sink_test.cpp", {"Heard": "Observed", "heard": "observed"}),
    ("tests/unit/control/opnsense/alias_engine_test.cpp", {"Heard": "Observed", "heard": "observed"}),
    ("tests/unit/control/list_service_test.cpp", {"told": "take_outcome"}),
    ("tests/unit/control/ops/roles_test.cpp", {"said": "response", "heard": "observer"}),
    ("tests/unit/control/ops/rpc_server_test.cpp", {"said": "response / received"}),
    ("tests/unit/control/ops/rpc_test.cpp", {"said": "audited / audit_line"}),
    ("tests/unit/control/overload_watch_test.cpp", {"said": "logged", "trouble": "overload"}),
    ("tests/unit/control/recorder/*", {"said": "logged"}),
    ("tests/unit/control/resolver/stub_resolver_test.cpp", {"Said": "ResolverReply", "said": "parsed"}),
    ("tests/unit/control/sets/kernel_test.cpp", {"said": "result / printed"}),
    ("tests/unit/control/sets/service_test.cpp", {"said": "logged / has_logged"}),
    ("tests/unit/control/stream/http/http1_session_test.cpp", {"said": "output / sent"}),
    ("tests/unit/control/stream/upstream/*", {"said": "logged"}),
    ("tests/unit/control/stream/world.cpp", {"said": "injected"}),
    ("tests/unit/dns/reply_test.cpp", {"told": "reply_to"}),
    ("tests/unit/doctor/watch_test.cpp", {"said": "output / text"}),
    ("tests/unit/forward/*", {"asking": "requests"}),
    ("tests/unit/init/*", {"said": "output / printed"}),
    ("tests/unit/machine/*", {"said": "output / printed"}),
    ("tests/unit/matchers/name_text_test.cpp", {"said": "result / written"}),
    ("tests/unit/mdns/*", {"told": "text_of"}),
    ("tests/unit/routeros/*", {"said": "logged"}),
    ("tests/unit/routeros/judging_test.cpp", {"told": "notified"}),
    ("tests/unit/routeros/leases_test.cpp", {"told": "notified"}),
    ("tests/unit/routeros/lists_test.cpp", {"told": "notified"}),
    ("tests/unit/routeros/peer_test.cpp", {"told": "logged_text"}),
    ("tests/unit/routeros/probe_test.cpp", {"asking": "probing"}),
    ("tests/unit/routeros/transport_test.cpp", {"told": "logged"}),
    ("tests/unit/setup/routeros_setup_test.cpp", {"said": "printed"}),
    ("tests/unit/steerctl/announcement_test.cpp", {"Heard": "Scene", "heard": "scene"}),
    ("tests/unit/rossim/script_test.cpp", {"said": "output / printed"}),
    ("tests/unit/rossim/versions_test.cpp", {"said": "reply_to"}),
]

# Python: names of the whole tree. Local names may have candidates.
PY_GLOBAL = {
    "told": "reported", "_told": "_reported", "until_told": "until_notified", "heard": "received", "_heard": "_received",
    "said": "output / printed / output_text", "_said": "_console", "check_router_trouble": "check_router_error",
    "came": "arrived", "came_late": "arrived_late", "each_way": "each_direction", "asking": "querying",
    "the_way_to_upstreams_goes": "the_route_to_upstreams_disappears",
}
PY_LOCAL = [
    ("tests/bench/*", {"said": "parameters / described", "looks": "polls", "told": "reported"}),
    ("tests/bench/fleet_claims.py", {"said": "printed"}),
    ("tests/bench/memif.py", {"said": "load_result"}),
    ("tests/bench/observability.py", {"said": "answer"}),
    ("tests/bench/run_test.py", {"said": "printed"}),
    ("tests/bench/compare.py", {"said": "printed"}),
    ("tests/bench/wakeups.py", {"way": "idle_mode", "WAYS": "IDLE_MODES"}),
    ("tests/bench/claims.py", {"told": "described", "said": "parameters / parameters_text"}),
    ("tests/bench/floods.py", {"told": "described", "said": "parameters / parameters_text"}),
    ("tests/e2e/anycast_e2e.py", {"said": "expect_output"}),
    ("tests/e2e/readiness_e2e.py", {"said": "expect_output"}),
    ("tests/e2e/sets_e2e.py", {"said": "expect_report"}),
    ("tests/e2e/xdp_e2e.py", {"said": "count_logged"}),
    ("tests/e2e/broken_e2e.py", {"trouble": "error", "troubles": "errors"}),
    ("tests/e2e/doctor_e2e.py", {"way": "rule / table_rule"}),
    ("tests/e2e/transports_e2e.py", {"ways": "by_name", "way": "name / label"}),
    ("tests/e2e/fleet_page_e2e.py", {"look": "emulate"}),
    ("tests/e2e/page_e2e.py", {"look": "emulate"}),
    ("tools/lab/browser.py", {"look": "emulate"}),
    ("tests/e2e/start_e2e.py", {"look": "compare"}),
    ("tests/router/image.py", {"trouble": "error / failure", "said": "console_file"}),
    ("tests/router/run.py", {"trouble": "error / failure", "look": "check"}),
    ("tests/router/stages.py", {"look": "check", "way": "method"}),
    ("tests/router/relay.py", {"_said": "_on_sent", "_heard": "_on_received"}),
    ("tests/router/questions.py", {"said": "said", "heard": "received", "told": "listened / notices"}),
    ("tests/unit/mdns/*", {}),
    ("tools/lab/which_egress.py", {"ways": "egresses"}),
    ("tools/lab/policy.py", {"WAYS": "EGRESSES", "ways": "links", "way": "egress"}),
    ("tools/lab/probed.py", {"way": "egress"}),
    ("tools/lab/steady_load.py", {"said": "reported_at"}),
]

# ---------------------------------------------------------------------------------------------------------------- prose

# Comments and names of tests, in this order. A space matches any white space and "_" (names of tests), "//" at a line's
# start included. Case of the first letter is kept.
PROSE = [
    # look
    ("look-ups", "lookups"), ("look-up", "lookup"), ("two looks", "two checks"), ("the last look at it", "the last call"),
    ("the last look", "the last check"), ("the first look", "the first check"), ("the look before", "the check before"),
    ("by this look", "by this check"), ("at the time of the look", "at the time of the check"),
    ("a look that its fleet's end", "a poll that its fleet's end"),
    ("look at the row board", "lookup in the row board"), ("one look at one name", "one lookup of one name"),
    ("(a|one) look at", r"\1 check of"), ("between looks", "between checks"), ("the looker", "the checker"),
    ("looks: states", "sees: states"), ("without looking: what", "without a check: what"),
    ("without looking (at|whether)", lambda m: "without checking" + (" whether" if m.endswith("whether") else "")),
    ("it looks when", "it polls when"), ("the function that looks", "the function that inspects"),
    ("people look at first", "people read first"), ("password_env look;", "password_env are looked up;"),
    ("each start looks again", "each start searches again"), ("may look at the daemon and change it", "may read and change the daemon's state"),
    ("may still look at", "may still read"), ("may be looked at", "may be read"), ("we may look at", "we may inspect"),
    ("each check looks at", "each check inspects"), ("checks look at", "checks inspect"), ("look at the machine and at its", "check the machine and its"),
    ("are not looked at", "are not verified"), ("cannot be looked at", "cannot be inspected"),
    ("would look like", "would resemble"), ("looks like", "resembles"), ("look like", "resemble"),
    ("looked at", "checked"), ("looks at", "checks"), ("look at", "check"), ("looking at", "checking"),
    ("looked for", "searched for"), ("looks for", "searches for"), ("look for", "search for"), ("looking for", "searching for"),
    ("looked through", "searched"), ("looks through", "searches"), ("looks into", "reads"), ("look into", "read"),
    ("to look, when", "to search, when"), ("has to look the table up", "has to consult the table"),
    ("it would look every", "it would check every"), ("without a look", "without a check"), ("during the look", "during the lookup"),
    ("before the look began", "before the lookup began"), ("that it looks endless", "that it appears endless"),
    ("looks as if", "appears as if"), ("make the sets and look", "make the sets and read them"), ("than a look has", "than a print has"), ("---- looking", "---- reading"),
    ("looks(?! (?:[a-z]+ ){0,2}up)", "checks"), ("looked(?! (?:[a-z]+ ){0,2}up)", "checked"), ("look(?! (?:[a-z]+ ){0,2}up)", "check"),
    ("looking(?! (?:[a-z]+ ){0,2}up)", "checking"),
    # way
    ("under way", "in progress"), ("each way", "in each direction"), ("so both ways work", "so both directions work"),
    ("code that both ways", "code that both transports"), ("on both ways", "in both directions"), ("both ways", "in both directions"),
    ("one of two ways", "one of two transports"), ("the other way:", "the other transport:"), ("come by two ways", "come by two paths"),
    ("a way out:", "an egress:"), ("a way out", "an exit"), ("two ways out", "two egresses"), ("way out", "exit"), ("ways out", "exits"),
    ("other way of", "other path of"), ("two ways", "two forms"),
    ("on (?:the|its|their) way here", "on the path here"), ("on (?:its|their|the) way back", "returning"),
    ("(others|caches|folders) on (?:the|its) way", r"\1 on the path"), ("on the way to it", "on the path to it"),
    ("on (?:the|its|their) way", "in transit"), ("rows in the way", "conflicting rows"), ("row in the way", "conflicting row"),
    ("row (of others|is) in the way", r"row \1 in conflict"), ("rows of others in the way", "rows of others in conflict"),
    ("and in the way", "and in conflict"), ("is in the way", "is in conflict"), ("not in the way", "not in conflict"),
    ("in the same way", "likewise"), ("goes the same way", "takes the same path"), ("by the same way", "by the same path"),
    ("the same way", "alike"), ("in its own way", "in its own form"), ("(?:in )?this way", "like this"), ("(?:in )?that way", "like that"),
    ("it is the other way", "it is the opposite"), ("in no particular way", "with no particular path"),
    ("in another way", "differently"), ("by another way", "by another path"), ("went another way", "took another path"),
    ("a way of their own", "a path of their own"), ("gives way", "is displaced"), ("which way it went", "which path it took"),
    # came
    ("the answers in them came from", "the sources of their answers are"), ("they came from", "they are from"), ("came from", "is from"),
    ("that came out of", "that was sent from"), ("what came out of", "what was sent from"), ("all sentences that came out", "all complete sentences"),
    ("came out", "was sent"), ("came in", "arrived"), ("came back", "returned"), ("came to its end", "ended"),
    ("came to", "reached"), ("came of", "results from"), ("came into force", "took effect"), ("came last", "arrived last"),
    ("came up", "started"), ("came", "arrived"),
    # told, said, heard, trouble
    ("told apart", "distinguished"), ("told from", "distinguished from"), ("told as a cause", "returned as a cause"),
    ("is told about", "is notified about"), ("is told so", "gets an error"), ("has BIRD told if", "notifies BIRD if"),
    ("without being told to", "without being configured to"), ("those that it is told", "those that are configured"),
    ("what it may be told", "what it may be ordered"), ("were told", "were sent"), ("if the upstream is told", "if the upstream gets it"),
    ("is told something else", "gets something else"), ("the client was told", "the client was sent"), ("address is told", "address is answered"),
    ("when that was told", "when that was reported"), ("nothing is told of", "nothing is reported about"), ("another's was told", "another's was sent"),
    ("what clients were told", "what clients were sent"),
    ("progress is told", "progress is reported"), ("what listeners are told", "what listeners are sent"), ("and the journal are told", "and the journal get"),
    ("listeners are told", "listeners are notified"), ("are told", "are reported"), ("is told", "is notified"), ("was told", "was notified"), ("told", "reported"),
    ("it was said why", "the reason was reported"), ("why was said", "the reason was reported"), ("is said there", "is described there"),
    ("EEXIST is said of", "EEXIST is returned for"), ("is said of", "is reported about"), ("except where said", "except where noted"),
    ("is said to be", "is declared to be"), ("not said yet", "not reported yet"), ("not said", "not given"), ("they are said to be", "they are declared to be"),
    ("what it said before", "what it reported before"), ("said", "reported"),
    ("daemon was heard", "daemon reported"), ("heard", "received"), ("a trouble", "an error"), ("one with trouble", "one with an error"), ("report trouble of", "report an error of"),
    ("in trouble", "after errors"), ("troubles", "errors"), ("trouble", "error"),
]
LEFT_OUT = ("tests/fuzz/corpus/", "tests/support/words/", "tests/support/words_")

PARTS = re.compile(r"(?i)trouble|look|way|said|told|heard|came|asking|handing")


def prose_rules(before: str, gap: str, after: str):
    return [(re.compile(before + "(?:" + pattern.replace(" ", gap) + ")" + after, re.IGNORECASE), new) for pattern, new in PROSE]


COMMENT_RULES = prose_rules(r"(?<![a-zA-Z0-9`.:/\"-])(?<!\w_)(?<!=he )", r"\s+(?://+ *|# *|\* *)?", r"(?![a-zA-Z0-9`])(?!\(\))(?!_ms)(?!\.[a-z])")
NAME_RULES = prose_rules(r"(?<![a-zA-Z0-9])", "_", r"(?![a-zA-Z0-9])")


def prose_name(text: str) -> str:
    for rule, new in NAME_RULES:
        text = rule.sub(lambda m: (new(m[0].replace("_", " ")) if callable(new) else m.expand(new)).replace(" ", "_"), text)
    return text


def prose(text: str) -> str:
    for rule, new in COMMENT_RULES:
        def put(m):
            old = m[0]
            out = new(old) if callable(new) else m.expand(new)
            if gap := re.search(r"\s*\n\s*(?://+|#|\*)? *", old):  # the phrase crosses a line end: keep the break
                first, blank, rest = out.partition(" ")
                out = first + gap[0] + rest if blank else gap[0] + out
            if old[0].isupper():
                out = out[0].upper() + out[1:]
            return out
        text = rule.sub(put, text)
    return text


def words_for(name: str, table: dict, rows: list) -> dict:
    words = dict(table)
    for glob, more in rows:
        if fnmatch.fnmatch(name, glob):
            words.update(more)
    return words


CPP = re.compile(r'(?P<raw>R"(?P<mark>\w*)\([^\0]*?\)(?P=mark)")|(?P<line>//[^\n]*(?:\n[ \t]*//[^\n]*)*)|(?P<long>/\*[^\0]*?\*/)'
                 r'|(?P<text>"(?:[^"\\\n]|\\.)*")|(?P<char>\'(?:[^\'\\\n]|\\.)\')|(?P<number>\d[\w.\']*)|(?P<word>[A-Za-z_]\w*)')
TEST_NAME = re.compile(r"BOOST_(?:AUTO|FIXTURE|DATA|PARAM)_TEST_CASE\(\s*$")


def choose(words: dict, has: set) -> dict:
    out = {}
    for old, new in words.items():
        options = [o.strip() for o in new.split(" / ")]
        out[old] = next((o for o in options if o not in has), options[-1])
    return out


def rename_in_comment(text: str, words: dict) -> str:
    """Identifiers in comments: composite ones, and `x`, x(), x_ of the table; then prose."""
    def put(m):
        word = m[0]
        if word not in words:
            return word
        before, after = text[max(0, m.start() - 1):m.start()], text[m.end():m.end() + 1]
        is_name = "_" in word or (word[0].isupper() and word not in ("Way", "Said", "Look", "Told", "Heard")) or re.match(r"k[A-Z]", word)
        if is_name or after == "(" or (before == "`" and after == "`" and word not in ("way",)):
            return words[word]
        return word
    return re.sub(r"[ \t]+\n", "\n", prose(re.sub(r"(?<!\")\b[A-Za-z_]\w*\b(?!\")", put, text)))


def cpp(name: str, text: str) -> str:
    words = words_for(name, GLOBAL, LOCAL)
    has = set(re.findall(r"[A-Za-z_]\w*", re.sub(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*', "", text)))
    words = choose(words, has)

    def put(m):
        if m["line"] is not None or m["long"] is not None:
            return rename_in_comment(m[0], words) if PARTS.search(m[0]) else m[0]
        if m["word"] is None:
            return m[0]
        if "way" in m[0] and name in SET_ASSOCIATIVE and m[0] in ("way", "ways", "kWays", "ways_with", "next_way_"):
            return m[0]
        if TEST_NAME.search(text[max(0, m.start() - 60):m.start()]):
            return prose_name(m[0]) if PARTS.search(m[0]) else m[0]
        return words.get(m[0], m[0])
    return CPP.sub(put, text)


# The ways of a set-associative table keep the field's word.
SET_ASSOCIATIVE = ("dataplane/answer/reverse_table.cpp", "dataplane/answer/reverse_table.h", "dataplane/forward/failing_names.h",
                   "dataplane/policy/inherited_names.h", "dataplane/stages/packet_cache.cpp")


def python(name: str, text: str) -> str:
    words = words_for(name, PY_GLOBAL, PY_LOCAL)
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    has = {t.string for t in tokens if t.type == tokenize.NAME}
    words = choose(words, has)
    edits = []
    for t in tokens:
        begin, end = starts[t.start[0] - 1] + t.start[1], starts[t.end[0] - 1] + t.end[1]
        new = t.string
        if t.type == tokenize.NAME:
            new = words.get(t.string, t.string)
        elif t.type == tokenize.STRING and re.match(r"(?i)[a-z]*f", t.string.split('"')[0].split("'")[0]):
            new = f_string(t.string, words)
        elif t.type == tokenize.COMMENT and PARTS.search(t.string):
            new = rename_in_comment(t.string, {w: n for w, n in words.items() if "_" in w})
        if new != t.string:
            edits.append((begin, end, new))
    for begin, end, new in reversed(edits):
        text = text[:begin] + new + text[end:]
    return text


def f_string(text: str, words: dict) -> str:
    """The names in the {fields} of an f-string."""
    out, i, depth, quote = [], 0, 0, ""
    while i < len(text):
        c = text[i]
        if depth == 0:
            if text[i:i + 2] in ("{{", "}}"):
                out.append(text[i:i + 2])
                i += 2
                continue
            depth += c == "{"
            out.append(c)
            i += 1
            continue
        if quote:
            quote = "" if c == quote else quote
            out.append(c)
            i += 1
        elif c in "'\"":
            quote = c
            out.append(c)
            i += 1
        elif (m := re.compile(r"[A-Za-z_]\w*").match(text, i)) and not re.match(r"[\w]", text[i - 1]):
            out.append(words.get(m[0], m[0]))
            i = m.end()
        else:
            depth += (c == "{") - (c == "}")
            out.append(c)
            i += 1
    return "".join(out)


def git(*words: str) -> str:
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout


def main() -> int:
    dry, form = "--dry" in sys.argv, "--no-format" not in sys.argv
    moved = []
    names = git("ls-files").splitlines()
    for old, new in MOVES + [(n, re.sub(p, r, n)) for p, r in MOVE_GLOBS for n in names if re.match(p, n)]:
        if os.path.exists(old) and not os.path.exists(new):
            moved.append((old, new))
            if not dry:
                git("mv", old, new)
    changed = []
    for name in git("ls-files").splitlines():
        if name.startswith(LEFT_OUT) or not os.path.isfile(name) or os.path.islink(name):
            continue
        try:
            with open(name, newline="") as file:
                text = file.read()
        except UnicodeDecodeError:
            continue
        new = text
        for glob, pattern, put in TEXT:
            if fnmatch.fnmatch(name, glob):
                new = re.sub(pattern, put, new)
        if name.endswith((".cpp", ".h", ".c")) and PARTS.search(new):
            new = cpp(name, new)
        elif (name.endswith(".py") or new.startswith("#!/usr/bin/env python3")) and PARTS.search(new):
            new = python(name, new)
        if new == text:
            continue
        changed.append((name, text, new))

    def is_formatted(name: str, text: str) -> bool:
        done = subprocess.run(["clang-format", "--assume-filename=" + name], input=text, capture_output=True, text=True)
        return done.returncode == 0 and done.stdout == text

    def write(row) -> None:
        name, text, new = row
        formats = form and name.endswith((".cpp", ".h")) and is_formatted(name, text)
        with open(name, "w", newline="") as file:
            file.write(new)
        if formats:
            subprocess.run(["clang-format", "-i", name], check=True)

    if not dry:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(write, changed))
    print(f"rename: {len(moved)} files moved, {len(changed)} changed" + (" (dry)" if dry else ""))
    if "--names" in sys.argv:
        print("\n".join(n for n, _, _ in changed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
