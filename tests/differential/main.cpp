// differential [--from SEED] [--count N] [--seed SEED]: see README.md.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "differential/maker.h"
#include "differential/naive.h"
#include "differential/product.h"
#include "differential/seeds.h"

namespace steer::differential {
namespace {

// Notes, answers, lists and so on of all cases: a test about nothing must not pass.
struct Totals {
    unsigned cases = 0, refused = 0, questions = 0, with_records = 0, with_lists = 0,
             with_notes = 0, with_tasks = 0, asked_nobody = 0, in_doubt = 0, given_up = 0,
             redirected = 0, dropped = 0;
};

class Comparison {
  public:
    // Where it differs, as text; empty: nowhere.
    std::string differs(const Case& c) {
        const std::string yaml = c.config.yaml();
        const auto errors = product_->load(yaml);
        if (!errors.empty()) {
            ++totals.refused;
            // A random configuration may be too large, nothing else.
            if (errors.front().find("more than") != std::string::npos) return "";
            return "refused: " + errors.front() + "\n";
        }
        Naive naive(yaml, {{"NAIVE_KEY", "value"}});
        std::string story;
        for (const Question& q : c.questions) {
            const Outcome got = product_->ask(q);
            Outcome expected = naive.ask(q, product_->now_ms());
            story += "  " + text(q) + "\n";
            if (naive.gives_up()) {
                ++totals.given_up;
                break;
            }
            const bool in_doubt = naive.lists_in_doubt();
            if (in_doubt) {
                expected.lists = got.lists;
                if (expected.decision == "steered" || expected.decision == "forwarded")
                    expected.decision = got.lists.empty() ? "forwarded" : "steered";
            }
            if (got == expected) {
                count(expected, in_doubt);
                continue;
            }
            return story + "    expected: " + text(expected) + "\n    product:  " + text(got) +
                   "\n";
        }
        ++totals.cases;
        return "";
    }
    // The same with as little as shows it.
    Case smallest(Case c) {
        const auto still = [&](const Case& smaller) { return !differs(smaller).empty(); };
        for (bool smaller = true; smaller;) {
            smaller = drop_questions(c, still);
            for (std::size_t s = 0; s < c.config.sequences.size(); ++s) {
                for (std::size_t r = c.config.sequences[s].rules.size(); r-- > 0;) {
                    if (c.config.sequences[s].rules.size() == 1) break;
                    Case without = c;
                    auto& rules = without.config.sequences[s].rules;
                    rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(r));
                    if (still(without)) c = without, smaller = true;
                }
            }
        }
        return c;
    }
    void renew() { product_ = std::make_unique<Product>(); }

    Totals totals;
    [[nodiscard]] unsigned plain_hits() const { return product_->plain_hits(); }

  private:
    template <class Still>
    static bool drop_questions(Case& c, const Still& still) {
        bool dropped = false;
        for (std::size_t q = c.questions.size(); q-- > 0 && c.questions.size() > 1;) {
            Case without = c;
            without.questions.erase(without.questions.begin() + static_cast<std::ptrdiff_t>(q));
            if (q < without.questions.size())
                without.questions[q].after_ms += c.questions[q].after_ms;
            if (still(without)) c = without, dropped = true;
        }
        return dropped;
    }
    void count(const Outcome& o, bool in_doubt) {
        ++totals.questions;
        totals.with_records += o.records.empty() ? 0U : 1U;
        totals.in_doubt += in_doubt ? 1U : 0U;
        totals.with_lists += in_doubt || o.lists.empty() ? 0U : 1U;
        totals.redirected += is_alias(o) ? 1U : 0U;
        totals.dropped += o.dropped ? 1U : 0U;
        totals.with_notes += o.notes.empty() ? 0U : 1U;
        totals.with_tasks += o.raised.empty() ? 0U : 1U;
        totals.asked_nobody += o.asked.empty() && !o.records.empty() ? 1U : 0U;
    }

    // Nothing else has this TTL: what upstreams say lives longer.
    static bool is_alias(const Outcome& o) {
        return !o.records.empty() && o.records[0].type == kCname && o.records[0].ttl_s == 1;
    }

    std::unique_ptr<Product> product_ = std::make_unique<Product>();
};

int run(std::uint32_t from, std::uint32_t cases, bool only_one) {
    constexpr unsigned kMaxShown = 3, kRenewAfter = 2000;
    Comparison comparison;
    unsigned differ = 0, plain_hits = 0;
    for (std::uint32_t seed = from; seed != from + cases && differ < kMaxShown; ++seed) {
        if ((seed - from) % kRenewAfter == kRenewAfter - 1) {
            plain_hits += comparison.plain_hits();
            comparison.renew();
        }
        const Case whole = make_case(seed);
        if (only_one) std::cout << whole.config.yaml();
        if (comparison.differs(whole).empty()) continue;
        ++differ;
        const Case small = comparison.smallest(whole);
        std::cout << "seed " << seed << " differs:\n"
                  << small.config.yaml() << comparison.differs(small) << std::endl;
    }
    const Totals& t = comparison.totals;
    plain_hits += comparison.plain_hits();
    std::printf(
        "%u cases (%u too large), %u questions: %u with records, %u of them without asking anybody "
        "(%u plain hits), %u redirected, %u dropped, %u for lists that were compared (%u more in "
        "doubt), %u with notes, %u raised "
        "tasks; %u "
        "cases given "
        "up; %u "
        "differ\n",
        t.cases, t.refused, t.questions, t.with_records, t.asked_nobody, plain_hits, t.redirected,
        t.dropped, t.with_lists, t.in_doubt, t.with_notes, t.with_tasks, t.given_up, differ);
    if (differ != 0) return 1;
    // What is not compared is bounded.
    if (!only_one && (t.in_doubt * 10 > t.questions || t.given_up * 25 > t.cases)) {
        std::puts(
            "too much was not compared: lists in doubt in more than a tenth of the questions, or "
            "more than 4 % of the cases given up");
        return 1;
    }
    // And it was about something.
    const unsigned tenth = t.questions / 10;
    const bool enough = t.refused * 10 < cases && t.with_records > tenth &&
                        t.asked_nobody > tenth / 2 && t.with_lists > tenth / 2 &&
                        t.with_notes > tenth / 2 && t.with_tasks > t.questions / 200 &&
                        t.redirected > t.questions / 250 && t.dropped > t.questions / 500 &&
                        plain_hits > t.questions / 100;
    if (only_one || enough) return 0;
    std::puts("that is too little of something");
    return 1;
}

}  // namespace
}  // namespace steer::differential

int main(int argc, char** argv) {
    using steer::differential::Seeds;
    return steer::differential::run_seeds("differential", argc, argv, [](const Seeds& seeds) {
        return steer::differential::run(seeds.from, seeds.count, seeds.only_one);
    });
}
