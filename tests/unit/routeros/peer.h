// A router that says exactly what a test wants, sentence by sentence.
#pragma once

#include <boost/test/unit_test.hpp>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab.h"
#include "routeros/wire.h"

namespace steer::routeros::test {

using Words = std::vector<std::string>;

struct Asked {
    Words words;
    std::string tag;
    [[nodiscard]] bool is(std::string_view command) const {
        return words.front().ends_with(command);
    }
};

class Peer : public Witness, public RouterLink {
  public:
    Peer() : Peer(router_config()) {}
    explicit Peer(const RouterConfig& config) : router(config, *this, *this) {}

    void connect() override { ++connects; }
    void close() override { ++closes; }
    [[nodiscard]] std::optional<std::uint64_t> unsent_since_ms() const override { return unsent; }
    void send(std::string_view bytes) override {
        decoder_.feed(bytes);
        std::vector<std::string_view> words;
        while (decoder_.next(words) == Decoder::Status::sentence) {
            Asked asked;
            for (const auto word : words) {
                if (word.starts_with(".tag="))
                    asked.tag = word.substr(5);
                else
                    asked.words.emplace_back(word);
            }
            waiting.push_back(std::move(asked));
        }
    }
    // The oldest sentence that was not taken yet and ends so.
    Asked take(std::string_view command) {
        for (auto at = waiting.begin(); at != waiting.end(); ++at) {
            if (!at->is(command)) continue;
            Asked asked = *at;
            waiting.erase(at);
            return asked;
        }
        std::string all;
        for (const auto& asked : waiting)
            all += " " + asked.words.front();
        BOOST_FAIL("nothing that ends with " << command << " was sent, but" << all);
        return {};
    }
    [[nodiscard]] bool has(std::string_view command) const {
        for (const auto& asked : waiting) {
            if (asked.is(command)) return true;
        }
        return false;
    }
    void say(const Words& words) {
        std::string bytes;
        for (const auto& word : words)
            append_word(bytes, word);
        append_end(bytes);
        for (const char c : bytes)
            router.received({&c, 1}, now);
    }
    void done(const Asked& asked, const Words& more = {}) {
        Words words{"!done", ".tag=" + asked.tag};
        words.insert(words.end(), more.begin(), more.end());
        say(words);
    }
    void trap(const Asked& asked, const std::string& message) {
        say({"!trap", "=message=" + message, ".tag=" + asked.tag});
        done(asked);
    }
    void row(const Asked& asked, const Words& attributes) {
        Words words{"!re", ".tag=" + asked.tag};
        words.insert(words.end(), attributes.begin(), attributes.end());
        say(words);
    }
    void answer_resource(const std::string& uptime = "1d") {
        const auto asked = take("/system/resource/print");
        row(asked, {"=uptime=" + uptime, "=version=7.21 (stable)"});
        done(asked);
    }
    // From the first connection to in_sync; keeps the listens.
    void sync() {
        router.start(now);
        router.connected(now);
        done(take("/login"));
        answer_resource();
        listen4 = take("/ip/firewall/address-list/listen");
        listen6 = take("/ipv6/firewall/address-list/listen");
        done(take("/ip/firewall/address-list/print"));
        const auto six = take("/ipv6/firewall/address-list/print");
        say({"!empty", ".tag=" + six.tag});
        done(six);
        done(take("/ip/address/print"));
        done(take("/ipv6/address/print"));
        BOOST_REQUIRE((router.status().state == RouterState::in_sync));
    }
    void claim(std::string_view address, std::uint64_t hold = 0, std::uint32_t ttl_s = 30) {
        const auto bytes = bytes_of(address);
        router.claim(1, {&bytes, 1}, "www.example", now + (ttl_s + 30) * 1000ULL,
                     std::max(60U, ttl_s + 30), hold, now);
    }
    void pass(std::uint64_t ms) {
        now += ms;
        router.tick(now);
    }

    Router router;
    std::uint64_t now = 5'000'000;
    std::deque<Asked> waiting;
    Asked listen4, listen6;
    int connects = 0, closes = 0;
    std::optional<std::uint64_t> unsent;  // since when its TCP takes nothing

  private:
    Decoder decoder_;
};

}  // namespace steer::routeros::test
