// Who asks what, and what leaves when.
#include <algorithm>

#include "schedules/world.h"

namespace steer::schedules {

// What left without a promise has its row when routine writes had their time.
void World::answered(const Question& question, std::int64_t at_us, bool promised) {
    const std::int64_t lease_end_us = at_us + (std::int64_t{question.ttl_s} + kExtraS) * kSecond;
    const std::int64_t from_us = promised ? at_us : at_us + grace_us(kRoutineShare);
    if (from_us >= lease_end_us) return;
    for (const auto& address : question.addresses)
        answers_.push_back({from_us, question.list, address, lease_end_us, promised});
    if (answers_.size() > most_answers_) write_ended();
    // Some connections outlast the lease.
    if (plan(question.list).config.connection_guard && question.deadline_us % 7 == 0)
        connect(question.addresses.front());
}

void World::connect(const std::string& address) {
    const std::string host = address.substr(0, address.find('/'));
    const bool six = host.find(':') != host.npos;
    rossim::TrackedConnection connection;
    connection.src_address = six ? "[2001:db8:ffff::1]:50123" : "192.168.88.20:50123";
    connection.dst_address = six ? "[" + host + "]:443" : host + ":443";
    connection.timeout_s = 600;
    Connected& connected = connected_[host];
    if (now_us >= connected.until_us) connected.from_us = now_us;
    connected.until_us = now_us + connection.timeout_s * kSecond;
    sim.add_connection(six ? Family::ipv6 : Family::ipv4, connection, now_us);
}

// As a worker does: what the row board promises is given out, anything else is claimed.
void World::ask(Daemon& daemon) {
    auto& random = daemon.clients;
    constexpr std::uint32_t kTtls[] = {1, 5, 30, 60, 300, 86'400};
    // Questions come in runs.
    const auto pause_us = static_cast<std::uint32_t>(schedule.pause_us);
    const bool at_once = random.below(100) < 60;
    daemon.next_question_us = now_us + 1 + random.below(at_once ? 2'000 : 5 * pause_us);
    const std::uint32_t which = random(), ttl = kTtls[random.below(6)], how = random.below(100);
    std::vector<std::uint32_t> numbers(1 + random.below(4));
    for (auto& number : numbers)
        number = random();
    const auto& lists = daemon.config.lists;
    if (daemon.line.frozen() || lists.empty()) return;

    const routeros::ListConfig& list = lists[which % lists.size()];
    const ListPlan& use = plan(list.id);
    const bool constant = schedule.writers > 1;
    const std::uint32_t longest = list.max_ttl_s == 0 ? 3600 : list.max_ttl_s;
    Question question{kNever, list.id, {}, std::min(ttl, longest - kExtraS)};
    for (const auto number : numbers) {
        const auto family = number % 3 == 0 ? Family::ipv6 : Family::ipv4;
        unsigned n = number / 3 % use.pool;
        // Of two, each is mostly asked for what the other is not.
        if (constant && number % 16 < 12) n = n / 2 * 2 + daemon.number;
        const auto address = address_text(family, use.range, n);
        if (std::find(question.addresses.begin(), question.addresses.end(), address) ==
            question.addresses.end()) {
            question.addresses.push_back(address);
        }
    }
    const std::uint32_t least = constant ? longest : use.min_ttl_s;
    const std::uint32_t life_s =
        list.max_ttl_s == 0 ? 0
                            : std::max(std::clamp(ttl, least, longest), question.ttl_s + kExtraS);

    const auto now_s = static_cast<std::uint32_t>((now_us + kSecond - 1) / kSecond);
    std::uint32_t promised_s = UINT32_MAX;
    for (const auto& address : question.addresses) {
        const bool wanted = address.find(':') == address.npos || !list.list6.empty();
        if (wanted) promised_s = std::min(promised_s, daemon.installed_until(list.id, address));
    }
    if (promised_s == UINT32_MAX) return;  // none of its addresses goes to a list
    if (promised_s >= now_s + kExtraS + 1 + question.ttl_s / 2) {
        question.ttl_s = std::min(question.ttl_s, promised_s - now_s - kExtraS);
        return answered(question, now_us, true);
    }
    std::vector<routeros::AddressBytes> bytes;
    for (const auto& address : question.addresses)
        bytes.push_back(routeros::test::bytes_of(address));
    const bool held = how < 50;
    std::uint64_t token = 0;
    ++played.questions;
    if (held) {
        token = next_token_++;
        ++played.waited;
        question.deadline_us = now_us + std::int64_t{list.sync_timeout_ms} * 1000;
        daemon.questions.emplace(token, question);
    } else {
        answered(question, now_us, false);
    }
    const auto lease_end_ms =
        daemon.line.now_ms() + (std::uint64_t{question.ttl_s} + kExtraS) * 1000;
    daemon.engine->claim(list.id, bytes, "www.l" + std::to_string(list.id) + ".example",
                         lease_end_ms, life_s, token, daemon.line.now_ms());
}

}  // namespace steer::schedules
