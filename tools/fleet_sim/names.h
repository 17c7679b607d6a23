// The questions of clients: names of a policy list with their popularity, TTL and addresses, and
// the answer that a cache holds.
//
// The popularity of all names follows Zipf's law. Only questions for names of the list are
// generated, because no other answer raises a claim. Names::share() is their share of all queries,
// so drawing from them at `rate` * share() is the same process as drawing from all names and
// ignoring the others.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/dns/answer.h"
#include "matchers/result.h"
#include "tools/fleet_sim/settings.h"

namespace steer::fleet_sim {

// Random numbers: the same sequence on every machine for one seed.
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : engine_(seed) {}
    // Returns a number in [0, 1).
    double part() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
    std::uint64_t below(std::uint64_t n) { return engine_() % n; }
    // Returns the time to the next event of a Poisson process.
    double wait_s(double per_second);

  private:
    std::mt19937_64 engine_;
};

struct Question {
    std::vector<std::uint8_t> qname;  // wire form
    std::uint32_t ttl_s = 0;
    std::vector<std::string> addresses;  // as a router prints them
    bool is_v6 = false;
    std::vector<std::uint32_t> block;  // of the answer, aligned

    [[nodiscard]] const dns::Answer& answer() const {
        return *reinterpret_cast<const dns::Answer*>(block.data());
    }
};

class Names {
  public:
    static Result<Names> make(const Settings& settings);

    [[nodiscard]] const std::vector<Question>& questions() const { return questions_; }
    // The share of these questions in all queries.
    [[nodiscard]] double share() const { return share_; }
    // The number of names read from a file; the others are generated.
    [[nodiscard]] std::size_t from_file() const { return from_file_; }
    [[nodiscard]] std::size_t listed() const { return listed_; }
    // Writes the records that answer these questions, one per line. Returns false if the file
    // cannot be written.
    [[nodiscard]] bool write_zone(const std::string& path) const;
    // Returns the index of a random question.
    std::uint32_t draw(Dice& dice) const;

  private:
    void weigh(const std::vector<double>& weights);

    std::vector<Question> questions_;
    // Walker's alias method: a cell is kept with this probability, else its alias is used.
    std::vector<double> keep_;
    std::vector<std::uint32_t> alias_;
    double share_ = 0;
    std::size_t from_file_ = 0, listed_ = 0;
};

}  // namespace steer::fleet_sim
