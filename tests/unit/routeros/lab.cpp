#include "lab.h"

#include <algorithm>
#include <limits>

#include "routeros/keyed_hash.h"

namespace steer::routeros::test {

std::string nth(unsigned i) {
    return "203." + std::to_string(i / 62'500) + "." + std::to_string(i / 250 % 250) + "." +
           std::to_string(i % 250 + 1);
}

namespace {
constexpr std::int64_t kEver = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kStartUs = 1'000'000'000;  // the machine has been up for a while
// Tests and schedules visit tables of addresses in the same order each time.
[[maybe_unused]] const bool repeats = (use_hash_secret(1), true);
}  // namespace

void Witness::installed(ListId list, const AddressBytes& address, std::uint32_t until_s) {
    board[{list, address}] = {until_s, epochs.contains(list) ? epochs[list] : 1};
}
void Witness::ended(ListId list, const AddressBytes& address) {
    board.erase({list, address});
}
void Witness::lost(ListId list, const AddressBytes& address) {
    board.erase({list, address});
    ++losses;
}
void Witness::refused(ListId list, const AddressBytes& address, bool of_client) {
    refusals.push_back({list, address, of_client});
}

void Witness::epoch(ListId list) {
    ++epochs.try_emplace(list, 1).first->second;
}
void Witness::away(ListId list, bool away) {
    aways[list] = away;
}
void Witness::settled(std::uint64_t hold_token, Outcome outcome) {
    if (!outcomes.emplace(hold_token, outcome).second) std::abort();  // exactly once
    settled_at_us[hold_token] = now_us;
}
void Witness::log(Level, std::string_view sentence) {
    sentences.emplace_back(sentence);
}

void Witness::found(std::string_view version, const Findings& findings) {
    known[std::string(version)] = findings;
    ++finds;
}
const Findings* Witness::findings(std::string_view version) {
    const auto found = known.find(version);
    return found == known.end() ? nullptr : &found->second;
}

std::uint32_t Witness::installed_until(ListId list, std::string_view address) const {
    const auto found = board.find({list, bytes_of(address)});
    const auto epoch = epochs.find(list);
    if (found == board.end() || found->second.epoch != (epoch == epochs.end() ? 1 : epoch->second))
        return 0;
    return found->second.until_s;
}

AddressBytes bytes_of(std::string_view address) {
    return Address::parse(address).value().bytes;
}

ListConfig list_config(ListId id) {
    ListConfig list;
    list.id = id;
    list.list4 = "policy_v4";
    list.list6 = "policy_v6";
    list.tag = "ros_policy";
    list.prefix = "forgedns";
    list.max_ttl_s = 1800;
    return list;
}

RouterConfig router_config(std::vector<ListConfig> lists) {
    RouterConfig config;
    config.name = "edge1";
    config.address = "172.16.1.1:8728";
    config.username = "admin";
    config.lists = std::move(lists);
    return config;
}

rossim::Options fast(std::int64_t latency_us) {
    rossim::Options options;
    options.costs = rossim::built_in_presets().get("fast");
    options.latency_us = latency_us;
    return options;
}

std::size_t Witness::logged(std::string_view part) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        sentences, [&](const auto& sentence) { return sentence.find(part) != sentence.npos; }));
}

Lab::Lab(rossim::Options options, RouterConfig with)
    : sim(std::move(options), [this](const rossim::Commit& commit) { note(commit); }),
      config(std::move(with)),
      router(std::make_unique<Router>(config, *this, *this)) {
    now_us = kStartUs;
    sim.advance(now_us);
}

void Lab::start() {
    router->start(now_ms());
}

bool Lab::sync(std::int64_t limit_s) {
    start();
    return run_until(now_us + limit_s * 1'000'000,
                     [this] { return router->status().state == RouterState::in_sync; });
}

void Lab::restart() {
    close();
    board.clear();
    outcomes.clear();
    router = std::make_unique<Router>(config, *this, *this);
    for (auto& [id, away] : aways)
        away = true;
}

void Lab::claim(ListId list, std::vector<std::string> addresses, std::uint32_t ttl_s,
                std::uint32_t life_s, std::uint64_t hold, const Origin& origin) {
    std::vector<AddressBytes> bytes;
    for (const auto& address : addresses)
        bytes.push_back(bytes_of(address));
    router->claim(list, bytes, origin, now_ms() + (ttl_s + 30) * std::uint64_t{1000}, life_s, hold,
                  now_ms());
    collect();
}

void Lab::connect() {
    connecting_ = true;
}

void Lab::close() {
    connecting_ = false;
    if (session_) sim.close(*session_, now_us);
    session_.reset();
}

void Lab::send(std::string_view bytes) {
    if (session_) sim.feed(*session_, bytes, now_us);
}

void Lab::collect() {
    for (const auto& output : sim.take_output()) {
        if (!session_ || output.session != *session_) continue;
        if (!output.bytes.empty()) router->received(output.bytes, now_ms());
        if (!output.close || !session_) continue;
        session_.reset();
        router->closed("closed by the router", now_ms());
    }
}

// One event, or the end of the time; false at the end.
bool Lab::step(std::int64_t to_us) {
    if (connecting_) {
        connecting_ = false;
        session_ = reachable ? sim.open(now_us) : std::nullopt;
        if (session_)
            router->connected(now_ms());
        else
            router->closed("connection refused", now_ms());
        collect();
        return true;
    }
    const std::uint64_t deadline_ms = router->next_deadline();
    std::int64_t next = to_us;
    if (deadline_ms < static_cast<std::uint64_t>(to_us) / 1000) {
        next = std::max(now_us, static_cast<std::int64_t>(deadline_ms) * 1000);
    }
    if (const auto event = sim.next_event_us()) next = std::min(next, std::max(*event, now_us));
    const bool end = next >= to_us;
    now_us = next;
    sim.advance(now_us);
    collect();
    if (router->next_deadline() <= now_ms()) {
        router->tick(now_ms());
        collect();
    }
    return !end;
}

void Lab::run_until(std::int64_t to_us) {
    while (step(to_us)) {
    }
}

bool Lab::run_until(std::int64_t to_us, const std::function<bool()>& done) {
    while (!done()) {
        if (!step(to_us)) return done();
    }
    return true;
}

std::vector<rossim::RowView> Lab::rows(std::string_view list) const {
    auto all = sim.rows(rossim::Family::ipv4, list);
    const auto six = sim.rows(rossim::Family::ipv6, list);
    all.insert(all.end(), six.begin(), six.end());
    return all;
}

std::optional<rossim::RowView> Lab::row(std::string_view list, std::string_view address) const {
    for (auto& row : rows(list)) {
        if (row.address == address) return row;
    }
    return std::nullopt;
}

void Lab::note(const rossim::Commit& commit) {
    const std::int64_t at_us = commit.t_ns / 1000;
    auto& of_row = lives[{std::string{commit.list}, std::string{commit.address}}];
    const std::int64_t until_us = commit.left_us ? at_us + *commit.left_us : kEver;
    switch (commit.change) {
        case rossim::Change::add:
            ++adds;
            of_row.push_back({at_us, until_us});
            break;
        case rossim::Change::set:
            of_row.back().until_us = until_us;
            break;
        case rossim::Change::remove:
            ++removes;
            [[fallthrough]];
        case rossim::Change::expire:
            of_row.back().until_us = at_us;
            break;
        case rossim::Change::reboot:
            for (auto& [key, row_lives] : lives) {
                for (auto& life : row_lives) {
                    if (life.until_us != kEver) life.until_us = std::min(life.until_us, at_us);
                }
            }
            break;
        case rossim::Change::up:
            break;
    }
}

bool Lab::was_there(std::string_view list, std::string_view address, std::int64_t from_us,
                    std::int64_t until_us) const {
    const auto found = lives.find({std::string{list}, std::string{address}});
    if (found == lives.end()) return false;
    for (const auto& life : found->second) {
        if (life.from_us <= from_us && from_us < life.until_us) from_us = life.until_us;
    }
    return from_us >= until_us;
}

}  // namespace steer::routeros::test
