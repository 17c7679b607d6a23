// A reader of menus beside the simulated router, under one fake clock. A subclass has the reader and is its sink.
#pragma once

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "routeros/menu_reader.h"
#include "tools/rossim/router.h"

namespace steer::routeros::test {

inline rossim::Options reader_options() {
    rossim::Options out;
    out.users = {{"api-user", "secret", {"read", "api"}}};
    out.version = {7, 21};
    return out;
}

inline ReaderConfig reader_access() {
    return {"edge1", "192.0.2.1:8728", "api-user", "secret"};
}

struct ReaderWorld : RouterLink {
    explicit ReaderWorld(rossim::Options options) : sim(std::move(options)) {}
    virtual ~ReaderWorld() = default;
    virtual MenuReader& menus() = 0;

    void connect() override { connecting = true; }
    void close() override {
        connecting = false;
        if (session) sim.close(*session, now_us);
        session.reset();
    }
    void send(std::string_view bytes) override {
        bytes_sent += bytes;
        if (session) sim.feed(*session, bytes, now_us);
    }

    void run_for(std::int64_t us) {
        const std::int64_t to_us = now_us + us;
        while (now_us < to_us)
            step(to_us);
    }
    void step(std::int64_t to_us) {
        if (connecting) open();
        if (collect()) return;  // what is answered at once
        std::int64_t next_us = to_us;
        if (const auto at = sim.next_event_us()) next_us = std::min(next_us, *at);
        const auto own = menus().next_deadline();
        if (own < static_cast<std::uint64_t>(to_us / 1000))
            next_us = std::min(next_us, static_cast<std::int64_t>(own) * 1000);
        now_us = std::max(now_us + 1, next_us);
        sim.advance(now_us);
        collect();
        menus().tick(now_ms());
    }
    bool collect() {
        const auto all = sim.take_output();
        for (const auto& out : all) {
            if (session != out.session) continue;
            if (!out.bytes.empty()) menus().received(out.bytes, now_ms());
            if (!out.close) continue;
            session.reset();
            menus().closed("closed by the router", now_ms());
        }
        return !all.empty();
    }
    void open() {
        connecting = false;
        session = reachable ? sim.open(now_us) : std::nullopt;
        if (session)
            menus().connected(now_ms());
        else
            menus().closed("connection refused", now_ms());
    }
    void sync() {
        menus().start(now_ms());
        run_for(2'000'000);
        BOOST_REQUIRE_MESSAGE(menus().state() == RouterState::in_sync,
                              label(menus().state()) << " " << menus().error());
    }
    [[nodiscard]] std::uint64_t now_ms() const { return static_cast<std::uint64_t>(now_us / 1000); }

    rossim::Router sim;
    std::optional<rossim::SessionId> session;
    bool connecting = false, reachable = true;
    std::int64_t now_us = 1'000'000;
    std::string bytes_sent;
};

}  // namespace steer::routeros::test
