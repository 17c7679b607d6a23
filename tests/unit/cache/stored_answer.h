// Answers for cache tests whose bytes follow from {name, tag, size}, so that a reader can tell whether an answer is whole
// and to which name it belongs.
#pragma once

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <string>

#include "dataplane/cache/insert.h"
#include "support/dns_message.h"

namespace steer::test {

inline constexpr std::array<std::uint8_t, 16> kSecret{1, 2,  3,  4,  5,  6,  7,  8,
                                                      9, 10, 11, 12, 13, 14, 15, 16};

// Which question, as an owner of its bytes.
struct Question {
    Bytes name;
    std::uint16_t type = 1;
    std::uint16_t instance = 0;
    std::uint8_t flags = 0;
    std::uint8_t ecs_len = 0;  // of the subnet behind the name

    [[nodiscard]] cache::KeyFacts facts() const {
        return {name, type, 1, instance, flags, ecs_len};
    }
};

inline Question question(unsigned number, std::uint16_t instance = 0) {
    return {wire_name("name" + std::to_string(number) + ".example"),
            static_cast<std::uint16_t>(1 + number % 3), instance,
            static_cast<std::uint8_t>(number % 4)};
}

// Every byte of the body is `tag`; the body has `body_len` of them.
inline void write_answer(Buffer& out, std::uint8_t tag, std::uint16_t body_len) {
    dns::Answer answer{};
    answer.body_len = body_len;
    answer.min_ttl_s = tag;
    std::memcpy(out.data(), &answer, sizeof answer);
    std::memset(out.data() + sizeof answer, tag, body_len);
    out.length = static_cast<std::uint32_t>(answer.size());
}

inline bool is_whole(const dns::Answer& answer, std::uint8_t tag, std::uint16_t body_len) {
    if (answer.min_ttl_s != tag || answer.body_len != body_len) return false;
    return std::all_of(answer.body(), answer.body() + body_len,
                       [tag](std::uint8_t b) { return b == tag; });
}

// Puts answers into a cache as a worker and the cache writer do.
class Filler {
  public:
    Filler(cache::Cache& cache, BufferPools& pools)
        : cache_(cache), pools_(pools), hasher_(kSecret) {}

    // Inserts the answer {tag, body_len} for `q`, born at `now`.
    void insert(const Question& q, std::uint8_t tag, std::uint16_t body_len, Now now,
                std::uint32_t life_s, std::uint32_t serial = 0, cache::InsertTerms terms = {}) {
        Buffer* answer = pools_.take(static_cast<std::uint32_t>(sizeof(dns::Answer)) + body_len);
        BOOST_REQUIRE(answer != nullptr);
        write_answer(*answer, tag, body_len);
        answer->serial = serial;
        answer->born_ms = static_cast<std::int64_t>(now.ms);
        terms.life_s = life_s;
        Buffer* message =
            cache::build_insert(pools_, hasher_(q.facts()), q.facts(), *answer, terms);
        BOOST_REQUIRE(message != nullptr);
        cache_.insert(*message, now, counters);
        release(message);
        release(answer);
    }
    const cache::Entry* find(const Question& q, std::uint32_t now_s) {
        const cache::KeyFacts facts = q.facts();
        const cache::Key key = hasher_(facts);
        const cache::Entry* entry = nullptr;
        cache_.lookup(&key, &facts, 1, now_s, &entry);
        return entry;
    }

    Counters counters;

  private:
    cache::Cache& cache_;
    BufferPools& pools_;
    cache::KeyHasher hasher_;
};

}  // namespace steer::test
