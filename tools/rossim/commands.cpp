// login, cancel, quit, the router's own facts and the plain tables.
#include "tools/rossim/commands.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <functional>

#include "tools/rossim/value_text.h"

namespace rossim {
namespace {

// A sentence whose work is paid as a whole and done at its end.
class ActionJob : public Job {
  public:
    using Action = std::function<void(std::int64_t now_us)>;  // may throw Trap

    ActionJob(Machine& machine, std::int64_t cost_us, Action action)
        : machine_(machine),
          left_us_(machine.admission_cost(cost_us)),
          action_(std::move(action)) {}

    std::int64_t wants_us() const override { return left_us_; }

    bool work(std::int64_t cpu_us, std::int64_t now_us) override {
        left_us_ -= cpu_us;
        if (left_us_ > 0) return false;
        try {
            action_(now_us);
        } catch (const Trap& trap) {
            machine_.send_trap(session, tag, trap);
        }
        return true;
    }

  private:
    Machine& machine_;
    std::int64_t left_us_;
    Action action_;
};

std::string hex(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<std::uint8_t>(c);
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

// Before 6.43: "00" and the MD5 of a zero byte, the password and the challenge.
std::string challenge_response(std::string_view password, std::string_view challenge) {
    const std::string text = std::string(1, '\0').append(password).append(challenge);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr);
    std::string bytes;
    for (unsigned i = 0; i < size; ++i)
        bytes += static_cast<char>(digest[i]);
    return "00" + hex(bytes);
}

// 16 bytes that differ from session to session and are the same in each run.
std::string make_challenge(SessionId session) {
    std::string bytes;
    std::uint64_t state = session * 0x9E3779B97F4A7C15U + 1;
    for (int i = 0; i < 16; ++i) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes += static_cast<char>(state & 0xFF);
    }
    return bytes;
}

bool has_policy(const User& user, std::string_view policy) {
    return std::find(user.policies.begin(), user.policies.end(), policy) != user.policies.end();
}

bool is_right_secret(const Session& session, const User& user, const Sentence& sentence) {
    const std::string* const password = sentence.find("password");
    const std::string* const response = sentence.find("response");
    if (response != nullptr) {  // without a challenge, as from 6.45.1 on, none is right
        return !session.challenge.empty() &&
               *response == challenge_response(user.password, session.challenge);
    }
    return password != nullptr && *password == user.password;
}

void login(Machine& machine, Session& session, const Sentence& sentence, const Caller& caller) {
    // 6.43 added the login with a password; 6.45.1 removed the one with a challenge.
    const bool by_challenge = machine.options.version < Version{6, 43};
    const bool asks_challenge = sentence.find("response") == nullptr &&
                                (by_challenge || (machine.options.version < Version{6, 45, 1} &&
                                                  sentence.find("password") == nullptr));
    if (asks_challenge) {
        session.challenge = make_challenge(session.id);
        caller.done({}, hex(session.challenge));
        machine.login_over(session);
        return;
    }
    const std::string* const name = sentence.find("name");
    const auto user = name != nullptr ? machine.records.user(*name) : std::nullopt;
    if (user && is_right_secret(session, *user, sentence) && has_policy(*user, "api")) {
        session.user = std::make_shared<const User>(*user);
        session.since_ns = machine.device.clock_ns(machine.now_us);
        ++machine.report.logins;
        caller.done();
        machine.login_over(session);
        return;
    }
    machine.send_trap(
        session.id, caller.tag,
        {by_challenge ? "cannot log in" : "invalid user name or password (6)", std::nullopt});
    machine.login_over(session);
}

void cancel(Machine& machine, const Sentence& sentence, const Caller& caller) {
    const std::string* const wanted = sentence.find("tag");
    const auto tag = wanted != nullptr ? std::optional(*wanted) : std::nullopt;
    const auto ended = machine.cancel(caller.session, tag, caller.tag);
    for (const auto& its_tag : ended) {
        Caller{machine, caller.session, caller.user, its_tag}.done();
    }
    caller.done();
}

// "7.21", "7.16.2"
std::string version_text(const Version& version) {
    const std::string text = std::to_string(version.major) + "." + std::to_string(version.minor);
    return version.patch == 0 ? text : text + "." + std::to_string(version.patch);
}

Record resource(const Machine& machine, std::int64_t now_us) {
    const Options& options = machine.options;
    Record row;
    row.values = {
        {"uptime", duration_text(machine.uptime_s(now_us))},
        {"version", options.claimed_version.empty() ? version_text(options.version) + " (stable)"
                                                    : options.claimed_version},
        {"build-time", "2025-01-01 00:00:00"},
        {"free-memory", "805306368"},
        {"total-memory", "1073741824"},
        {"cpu", "ARM64"},
        {"cpu-count", "1"},
        {"cpu-frequency", "1400"},
        {"cpu-load", std::to_string(machine.cpu.load_percent(now_us))},
        {"free-hdd-space", "1005584384"},
        {"total-hdd-space", "1073741824"},
        {"write-sect-since-reboot", std::to_string(machine.device.flash().since_reboot)},
        {"write-sect-total", std::to_string(machine.device.flash().total)},
        {"architecture-name", "arm64"},
        {"board-name", "rossim"},
        {"platform", "MikroTik"}};
    return row;
}

Record clock(const Machine& machine, std::int64_t now_us) {
    const std::string text = date_time_text(machine.device.clock_ns(now_us));
    Record row;
    row.values = {{"time", text.substr(11)},
                  {"date", text.substr(0, 10)},
                  {"time-zone-name", "Etc/UTC"},
                  {"gmt-offset", "+00:00"},
                  {"dst-active", "false"}};
    return row;
}

std::vector<Record> active_users(const Machine& machine) {
    std::vector<Record> rows;
    for (const auto& [id, session] : machine.sessions) {
        if (session.user == nullptr) continue;
        Record row;
        row.id = id;
        row.values = {{"when", date_time_text(session.since_ns)},
                      {"name", session.user->name},
                      {"address", session.client},
                      {"via", session.tls ? "api-ssl" : "api"}};
        rows.push_back(std::move(row));
    }
    return rows;
}

constexpr std::uint64_t kFirstConnectionId = 0x1000;  // of the dynamic rows of /ip/service

std::optional<Family> conntrack_family(std::string_view menu) {
    if (menu == "/ip/firewall/connection") return Family::ipv4;
    if (menu == "/ipv6/firewall/connection") return Family::ipv6;
    return std::nullopt;
}

std::vector<Record> connections(Machine& machine, Family family, std::int64_t now_us) {
    const Options& options = machine.options;
    const bool apart = options.connection_ports_apart.value_or(options.version >= Version{7, 20});
    return machine.conntrack(family).records(apart, now_us);
}

// Since 7.19 with each open session under its service's name.
std::vector<Record> services(const Machine& machine) {
    std::vector<Record> rows = machine.records.rows("/ip/service");
    if (machine.options.version < Version{7, 19}) return rows;
    for (const auto& [id, session] : machine.sessions) {
        Record row;
        row.id = kFirstConnectionId + id;
        row.values = {{"name", session.tls ? "api-ssl" : "api"},
                      {"port", session.tls ? "8729" : "8728"},
                      {"proto", "tcp"},
                      {"remote", session.client},
                      {"dynamic", "true"},
                      {"connection", "true"},
                      {"invalid", "false"}};
        rows.push_back(std::move(row));
    }
    return rows;
}

// A connection is no setting.
void refuse_connections(const Machine& machine, const Sentence& sentence) {
    if (sentence.menu != "/ip/service") return;
    const auto rows = services(machine);
    for (const std::uint64_t id : ids_of(sentence)) {
        const auto row =
            std::find_if(rows.begin(), rows.end(), [id](const Record& r) { return r.id == id; });
        std::string scratch;
        if (row == rows.end() || !row->property("dynamic", scratch)) continue;
        throw Trap{"failure: this is configured elsewhere (/ip/service/" + sentence.verb + " " +
                       id_text(id) + " = " + std::string(*row->property("name", scratch)) + ")",
                   std::nullopt};
    }
}

// The API's own words begin with a dot; of them `.id` stands for `numbers`.
bool is_api_word(const SchemaCommand& command, std::string_view name) {
    if (name != ".id") return name.starts_with('.');
    return command.arguments.contains("numbers") || command.arguments.contains("number");
}

// What the console of the version does not have is refused, as is what it has and this program does not carry out.
// `listen` is a print that only follows; `getall` is an old name of print.
void check_schema(const Machine& machine, const Sentence& sentence) {
    const Schema& schema = machine.records.schema();
    const std::string& menu = sentence.menu;
    if (schema.menu(menu) == nullptr) {
        if (schema.is_path_only(menu)) throw Trap{"not simulated: " + menu, std::nullopt};
        throw Trap{"no such command prefix", kMissingItem};
    }
    const bool is_listen = sentence.verb == "listen";
    const std::string verb = is_listen || sentence.verb == "getall" ? "print" : sentence.verb;
    const SchemaCommand* const command = schema.command(menu, verb);
    // (schema.json begins with 7.9.)
    const bool is_too_old =
        menu == "/file" && verb == "add" && machine.options.version < Version{7, 9};
    if (command == nullptr || is_too_old) throw Trap{"no such command", kMissingItem};
    if (is_listen && schema.argument(menu, verb, "follow-only") == nullptr)
        throw Trap{"unknown parameter follow-only", kMissingItem};
    for (const auto& [name, value] : sentence.attributes) {
        if (schema.argument(menu, verb, name) == nullptr && !is_api_word(*command, name))
            throw Trap{"unknown parameter " + name, kMissingItem};
    }
    if (!Records::carries_out(sentence.verb) && !runs_script(sentence))
        throw Trap{"not simulated: " + menu + "/" + sentence.verb, std::nullopt};
}

constexpr std::array<std::string_view, 3> kLiveMenus = {"/system/resource", "/system/clock",
                                                        "/user/active"};

std::vector<Record> menu_rows(Machine& machine, std::string_view menu, std::int64_t now_us) {
    if (menu == "/system/resource") return {resource(machine, now_us)};
    if (menu == "/system/clock") return {clock(machine, now_us)};
    if (menu == "/user/active") return active_users(machine);
    if (const auto family = conntrack_family(menu)) {
        return connections(machine, *family, now_us);
    }
    if (menu == "/ip/service") return services(machine);
    return machine.records.rows(menu);
}

void print(Machine& machine, const Sentence& sentence, const Caller& caller, std::int64_t now_us) {
    caller.require("read");
    if (sentence.menu == "/file") caller.require_files();
    ++machine.report.prints;
    const PrintArguments arguments(sentence);
    const Query query(sentence.query);
    std::string out;
    std::size_t matched = 0;
    for (const Record& row : menu_rows(machine, sentence.menu, now_us)) {
        if (!query.matches(row)) continue;
        ++matched;
        if (!arguments.count_only) append_record(out, machine, caller.tag, row, arguments.proplist);
    }
    if (arguments.count_only) {
        caller.done({}, std::to_string(matched));
        return;
    }
    if (matched == 0 && machine.options.version >= Version{7, 18}) {
        ReplyWriter(out, "!empty", caller.tag, machine.options.tag_last);
    }
    caller.done(std::move(out));
}

std::unique_ptr<Job> make_print_job(Machine& machine, Sentence sentence, const Caller& caller) {
    const Costs& costs = machine.options.costs;
    const auto rows = menu_rows(machine, sentence.menu, machine.now_us);
    auto emitted = static_cast<std::int64_t>(rows.size());
    std::int64_t cost_us = costs.base;
    if (route_family(sentence.menu)) {  // large enough that what a query leaves out matters
        const Query query(sentence.query);
        cost_us += emitted * costs.scan_row;
        emitted = std::ranges::count_if(rows, [&](const Record& r) { return query.matches(r); });
    }
    cost_us += emitted * costs.emit_row;
    return std::make_unique<ActionJob>(
        machine, cost_us, [&machine, sentence = std::move(sentence), caller](std::int64_t now_us) {
            print(machine, sentence, caller, now_us);
        });
}

std::unique_ptr<Job> make_record_job(Machine& machine, Sentence sentence, const Caller& caller) {
    const Costs& costs = machine.options.costs;
    if (sentence.verb == "print" || sentence.verb == "getall") {
        return make_print_job(machine, std::move(sentence), caller);
    }
    const bool is_live =
        std::find(kLiveMenus.begin(), kLiveMenus.end(), sentence.menu) != kLiveMenus.end();
    if (is_live) throw Trap{"not simulated: " + sentence.menu + "/" + sentence.verb, std::nullopt};
    if (sentence.verb == "listen") {
        return std::make_unique<ActionJob>(
            machine, costs.base, [&machine, sentence = std::move(sentence), caller](std::int64_t) {
                caller.require("read");
                machine.listen({caller.session,
                                caller.tag,
                                Family::ipv4,
                                PrintArguments(sentence).proplist,
                                {},
                                sentence.menu});
            });
    }
    const std::int64_t work_us =
        route_family(sentence.menu) ? write_cost(costs, sentence) : costs.set;
    return std::make_unique<ActionJob>(
        machine, costs.base + work_us,
        [&machine, sentence = std::move(sentence), caller](std::int64_t now_us) {
            caller.require("write");
            if (sentence.menu == "/file") caller.require_files();
            refuse_connections(machine, sentence);
            const auto ret = machine.records.change(sentence);
            machine.device.write_flash(now_us);
            caller.done({}, ret);
        });
}

// The first of these entries that is not there any more.
std::optional<std::uint64_t> first_gone(const std::vector<Record>& rows,
                                        const std::vector<std::uint64_t>& ids) {
    auto row = rows.begin();
    for (const std::uint64_t id : ids) {
        while (row != rows.end() && row->id < id)
            ++row;
        if (row == rows.end() || row->id != id) return id;
    }
    return std::nullopt;
}

// The rows that a print shows before it meets a removed one.
void print_before(Machine& machine, const Sentence& sentence, const Caller& caller,
                  std::uint64_t gone, std::int64_t now_us) {
    caller.require("read");
    ++machine.report.prints;
    const PrintArguments arguments(sentence);
    const Query query(sentence.query);
    std::string out;
    for (const Record& row : menu_rows(machine, sentence.menu, now_us)) {
        if (row.id >= gone || arguments.count_only) break;
        if (query.matches(row)) append_record(out, machine, caller.tag, row, arguments.proplist);
    }
    machine.send(caller.session, std::move(out));
}

// A print walks all entries, which may be many: each is paid like a row of an address list. One that
// ends during the print ends the print.
std::unique_ptr<Job> make_conntrack_job(Machine& machine, Family family, Sentence sentence,
                                        const Caller& caller) {
    const Costs& costs = machine.options.costs;
    if (sentence.verb == "remove") {
        auto ids = ids_of(sentence);
        const std::int64_t cost_us =
            costs.base + static_cast<std::int64_t>(ids.size()) * costs.remove;
        return std::make_unique<ActionJob>(
            machine, cost_us,
            [&machine, family, ids = std::move(ids), caller](std::int64_t now_us) {
                caller.require("write");
                machine.conntrack(family).remove(ids, machine.options.multi_id_atomic, now_us);
                caller.done();
            });
    }
    if (sentence.verb != "print" && sentence.verb != "getall") {
        throw Trap{"not simulated: " + sentence.menu + "/" + sentence.verb, std::nullopt};
    }
    const Query query(sentence.query);
    const bool counts_only = PrintArguments(sentence).count_only;
    const auto records = connections(machine, family, machine.now_us);
    std::vector<std::uint64_t> ids;
    ids.reserve(records.size());
    for (const Record& record : records)
        ids.push_back(record.id);
    const auto scanned = static_cast<std::int64_t>(records.size());
    const auto matched = std::count_if(records.begin(), records.end(),
                                       [&query](const Record& r) { return query.matches(r); });
    const std::int64_t emitted = counts_only ? 0 : matched;
    return std::make_unique<ActionJob>(
        machine, costs.base + scanned * costs.scan_row + emitted * costs.emit_row,
        [&machine, scanned, emitted, family, ids = std::move(ids), sentence = std::move(sentence),
         caller](std::int64_t now_us) {
            if (const auto gone = first_gone(connections(machine, family, now_us), ids)) {
                print_before(machine, sentence, caller, *gone, now_us);
                throw Trap{"no such item (4)", std::nullopt};
            }
            print(machine, sentence, caller, now_us);
            machine.report.rows_scanned += static_cast<std::uint64_t>(scanned);
            machine.report.rows_emitted += static_cast<std::uint64_t>(emitted);
        });
}

std::unique_ptr<Job> make_session_job(Machine& machine, Sentence sentence, const Caller& caller) {
    const std::string verb = sentence.verb;
    if (verb != "login" && verb != "cancel" && verb != "quit") {
        throw Trap{"no such command", kMissingItem};
    }
    return std::make_unique<ActionJob>(
        machine, machine.options.costs.base,
        [&machine, verb, sentence = std::move(sentence), caller](std::int64_t) {
            Session* const session = machine.find_session(caller.session);
            if (session == nullptr) return;
            if (verb == "login") login(machine, *session, sentence, caller);
            if (verb == "cancel") cancel(machine, sentence, caller);
            if (verb == "quit") machine.fail(*session, "session terminated on request");
        });
}

CpuClass class_of(const Sentence& sentence) {
    if (runs_script(sentence)) return CpuClass::script;
    if (sentence.menu.empty()) return CpuClass::other;
    constexpr std::pair<std::string_view, CpuClass> kClasses[] = {
        {"print", CpuClass::read},  {"getall", CpuClass::read}, {"listen", CpuClass::listen},
        {"add", CpuClass::add},     {"set", CpuClass::set},     {"enable", CpuClass::set},
        {"disable", CpuClass::set}, {"comment", CpuClass::set}, {"remove", CpuClass::remove}};
    for (const auto& [verb, cpu_class] : kClasses) {
        if (verb == sentence.verb) return cpu_class;
    }
    return CpuClass::other;
}

std::unique_ptr<Job> choose_job(Machine& machine, Session& session, Sentence sentence) {
    const Caller caller{machine, session.id, session.user, sentence.tag};
    if (!sentence.menu.empty()) check_schema(machine, sentence);
    if (runs_script(sentence)) return make_script_job(sentence, caller);
    if (sentence.menu.empty()) return make_session_job(machine, std::move(sentence), caller);
    if (const auto family = address_list_family(sentence.menu)) {
        return make_row_job(machine, session, *family, std::move(sentence));
    }
    if (const auto family = conntrack_family(sentence.menu)) {
        return make_conntrack_job(machine, *family, std::move(sentence), caller);
    }
    return make_record_job(machine, std::move(sentence), caller);
}

}  // namespace

void append_record(std::string& out, const Machine& machine, const std::optional<std::string>& tag,
                   const Record& record, const std::vector<std::string>& proplist) {
    const auto wanted = [&proplist](const std::string& name) {
        return proplist.empty() ||
               std::find(proplist.begin(), proplist.end(), name) != proplist.end();
    };
    ReplyWriter reply(out, "!re", tag, machine.options.tag_last);
    if (record.id != 0 && wanted(".id")) reply.attribute(".id", id_text(record.id));
    for (const auto& [name, value] : record.values) {
        if (wanted(name)) reply.attribute(name, value);
    }
}

void Caller::require(std::string_view policy) const {
    if (user == nullptr || !has_policy(*user, policy)) {
        throw Trap{"not enough permissions (9)", std::nullopt};
    }
}

void Caller::require_files() const {
    if (machine.options.file_needs_ftp) require("ftp");
}

void Caller::done(std::string before, const std::optional<std::string>& ret) const {
    {
        ReplyWriter reply(before, "!done", tag, machine.options.tag_last);
        if (ret) reply.attribute("ret", *ret);
    }
    machine.send(session, std::move(before));
}

PrintArguments::PrintArguments(const Sentence& sentence) {
    for (const auto& [name, value] : sentence.attributes) {
        if (name == ".proplist" || name == "proplist") {
            for (std::size_t at = 0; at <= value.size();) {
                const std::size_t comma = std::min(value.find(',', at), value.size());
                if (comma > at) proplist.push_back(value.substr(at, comma - at));
                at = comma + 1;
            }
        } else if (name == "count-only") {
            count_only = true;
        } else if (name == "follow") {
            follow = true;
        } else if (name == "follow-only") {
            follow_only = true;
        }
    }
}

std::unique_ptr<Job> make_job(Machine& machine, Session& session, Sentence sentence) {
    const SessionId id = session.id;
    const auto tag = sentence.tag;
    const CpuClass cpu_class = class_of(sentence);
    std::unique_ptr<Job> job;
    try {
        job = choose_job(machine, session, std::move(sentence));
        job->cpu_class = cpu_class;
    } catch (const Trap& trap) {
        // Refused when it is read, but not before the CPU has read it.
        job = std::make_unique<ActionJob>(machine, machine.options.costs.base,
                                          [trap](std::int64_t) { throw Trap(trap); });
    }
    job->session = id;
    job->tag = tag;
    return job;
}

}  // namespace rossim
