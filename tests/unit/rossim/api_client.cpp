#include "api_client.h"

#include <algorithm>

namespace rossim::test {

Options fast() {
    Options options;
    options.costs = built_in_presets().get("fast");
    return options;
}

Bench::Bench(Options options, Journal journal) : router(std::move(options), std::move(journal)) {}

SessionId Bench::connect_raw() {
    const SessionId id = router.open(now_us).value();
    side(id);
    collect();
    return id;
}

SessionId Bench::connect() {
    const SessionId id = connect_raw();
    ask(id, {"/login", "=name=admin", "=password="});
    return id;
}

void Bench::write(SessionId session, const Words& sentence) {
    std::string bytes;
    for (const std::string& word : sentence)
        append_word(bytes, word);
    append_word(bytes, {});
    router.feed(session, bytes, now_us);
    collect();
}

void Bench::run_until(std::int64_t to_us) {
    for (auto next = router.next_event_us(); next && *next <= to_us;
         next = router.next_event_us()) {
        now_us = *next;
        router.advance(now_us);
        collect();
    }
    now_us = to_us;
    router.advance(now_us);
    collect();
}

std::vector<Received> Bench::ask(SessionId session, const Words& sentence) {
    write(session, sentence);
    const auto is_over = [&] {
        const Side& s = side(session);
        return s.closed || (!s.got.empty() && (s.got.back().words[0] == "!done" ||
                                               s.got.back().words[0] == "!fatal"));
    };
    while (!is_over()) {
        const auto next = router.next_event_us();
        if (!next) break;
        run_until(*next);
    }
    return take(session);
}

std::vector<Received> Bench::take(SessionId session) {
    return std::exchange(side(session).got, {});
}

bool Bench::is_closed(SessionId session) const {
    return std::any_of(sides_.begin(), sides_.end(),
                       [&](const auto& s) { return s.first == session && s.second.closed; });
}

void Bench::collect() {
    for (Output& output : router.take_output()) {
        Side& s = side(output.session);
        s.reader.feed(output.bytes);
        while (auto words = s.reader.next())
            s.got.push_back({now_us, std::move(*words)});
        s.closed |= output.close;
    }
}

Bench::Side& Bench::side(SessionId session) {
    for (auto& [id, s] : sides_) {
        if (id == session) return s;
    }
    sides_.emplace_back(session, Side{});
    return sides_.back().second;
}

std::string value_of(const Words& reply, std::string_view name) {
    const std::string prefix = "=" + std::string(name) + "=";
    for (const std::string& word : reply) {
        if (word.starts_with(prefix)) return word.substr(prefix.size());
    }
    return {};
}

bool has(const Words& reply, std::string_view word) {
    return std::find(reply.begin(), reply.end(), word) != reply.end();
}

}  // namespace rossim::test
