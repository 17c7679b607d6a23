// The other ways to match a name that the bench `match` compares with: a flat hash map walked from the full name with
// every pattern in one Hyperscan database, and Hyperscan for everything.
//
// Neither compares names on a hit, keeps files and lines, or has to be read by many threads: they show what the lookup
// itself can cost.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "matchers/domain/label_hash.h"
#include "matchers/name_matcher.h"

struct hs_database;
struct hs_scratch;

namespace steer::bench {

struct FreeHyperscan {
    void operator()(hs_database* database) const noexcept;
    void operator()(hs_scratch* scratch) const noexcept;
};

// Expressions as one database, each with the sets that it stands for.
class Patterns {
  public:
    void add(std::string expression, const matchers::TagBits& tags);
    void compile();  // ends the program with a message if it cannot
    void scan(std::span<const std::uint8_t> wire_name, matchers::TagBits& tags);

  private:
    std::vector<std::string> expressions_;
    std::vector<matchers::TagBits> tags_of_;
    std::unique_ptr<hs_database, FreeHyperscan> database_;
    std::unique_ptr<hs_scratch, FreeHyperscan> scratch_;
};

// Rules as text: full, domain, keyword and regexp.
class FlatWalk {
  public:
    void add(matchers::SetId set, const matchers::Rule& rule);
    void build();
    matchers::TagBits match(std::span<const std::uint8_t> wire_name);

  private:
    struct Identity {
        using is_avalanching = void;
        std::size_t operator()(std::uint64_t key) const noexcept { return key; }
    };
    struct Node {
        matchers::TagBits exact, below;
    };
    [[nodiscard]] std::uint32_t node_of(std::span<const std::uint8_t> wire_name);

    matchers::LabelHash hash_{0x5851f42d4c957f2dU, 0x14057b7ef767814fU};
    boost::unordered_flat_map<std::uint64_t, std::uint32_t, Identity> node_of_;
    std::vector<Node> nodes_;
    std::vector<std::string> names_;
    Patterns patterns_;
};

// "www.example.org" in wire form.
std::vector<std::uint8_t> wire_of(std::string_view text);
// A rule as an expression; a name's dots are escaped.
std::string expression_of(const matchers::Rule& rule);

}  // namespace steer::bench
