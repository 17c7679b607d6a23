// The order in which parts of the daemon are made, started and ended.
#include "control/part.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/host/process/main_loop.h"

namespace steer {
namespace {

// What happened, in order: "start a", "end b".
std::vector<std::string> happened;  // NOLINT: one test at a time

struct Log {
    std::string name;
    void note(std::string_view what) const { happened.push_back(std::string(what) + " " + name); }
};

// A part that notes what is asked of it.
template <class Self, class... Needed>
class Noting : public Part {
  public:
    using Needs = steer::Needs<Needed...>;
    explicit Noting(const Needs&) {}
    ~Noting() override { log().note("destroy"); }
    Result<void> start() override {
        log().note("start");
        if (Self::kFails) return Error{"no room"};
        return {};
    }
    void end() override { log().note("end"); }
    void stop() override { log().note("stop"); }
    void finish() override { log().note("finish"); }
    static constexpr bool kFails = false;

  private:
    static Log log() { return {std::string(Self::kName)}; }
};

class Base final : public Noting<Base> {
  public:
    static constexpr std::string_view kName = "base";
    using Noting::Noting;
};

class Middle final : public Noting<Middle, Base> {
  public:
    static constexpr std::string_view kName = "middle";
    using Noting::Noting;
};

class Top final : public Noting<Top, Middle, Base> {
  public:
    static constexpr std::string_view kName = "top";
    using Noting::Noting;
    [[nodiscard]] bool has_background_work() const override { return true; }
};

class Failing final : public Noting<Failing, Base> {
  public:
    static constexpr std::string_view kName = "failing";
    static constexpr bool kFails = true;
    using Noting::Noting;
};

class Beside final : public Noting<Beside, Base> {
  public:
    static constexpr std::string_view kName = "beside";
    using Noting::Noting;
};

class Given final : public Part {};

std::vector<std::string> names(const std::vector<Parts::Maker>& makers) {
    std::vector<std::string> all;
    for (const auto& maker : makers)
        all.emplace_back(maker.name);
    return all;
}

using Texts = std::vector<std::string>;

struct Fresh {
    Fresh() { happened.clear(); }
};

BOOST_FIXTURE_TEST_SUITE(parts, Fresh)

BOOST_AUTO_TEST_CASE(a_part_comes_behind_those_that_it_needs_and_else_the_order_stays) {
    const auto ordered = Parts::in_order({Parts::maker<Top>(), Parts::maker<Failing>(),
                                          Parts::maker<Middle>(), Parts::maker<Base>()});
    BOOST_TEST(names(ordered) == (Texts{"base", "failing", "middle", "top"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(parts_start_forward_and_end_backward) {
    {
        Parts all;
        BOOST_REQUIRE(
            all.start({Parts::maker<Top>(), Parts::maker<Middle>(), Parts::maker<Base>()}));
        BOOST_TEST(all.stop([] { return true; }));
    }
    BOOST_TEST(happened == (Texts{"start base", "start middle", "start top", "end top",
                                  "end middle", "end base", "stop top", "stop middle", "stop base",
                                  "finish top", "finish middle", "finish base", "destroy top",
                                  "destroy middle", "destroy base"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_failed_start_leaves_the_rest_unmade_and_what_is_there_ends) {
    {
        Parts all;
        const auto done =
            all.start({Parts::maker<Failing>(), Parts::maker<Middle>(), Parts::maker<Base>()});
        BOOST_REQUIRE(!done);
        BOOST_TEST(done.error().text == "no room");
        BOOST_TEST(all.find<Middle>() == nullptr);
        BOOST_TEST(all.stop([] { return true; }));
    }
    BOOST_TEST(happened == (Texts{"start base", "start failing", "end failing", "end base",
                                  "stop failing", "stop base", "finish failing", "finish base",
                                  "destroy failing", "destroy base"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_left_work_uses_and_needs_is_not_destroyed) {
    {
        Parts all;
        BOOST_REQUIRE(all.start({Parts::maker<Top>(), Parts::maker<Middle>(), Parts::maker<Base>(),
                                 Parts::maker<Beside>()}));
        happened.clear();
        BOOST_TEST(!all.stop([] { return false; }));
        BOOST_TEST(all.find<Top>() == nullptr);
    }
    std::erase_if(happened, [](const std::string& one) { return !one.starts_with("destroy"); });
    BOOST_TEST(happened == Texts{"destroy beside"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_part_that_was_given_outlives_the_end) {
    Parts all;
    const Given& given = all.add(std::make_unique<Given>());
    BOOST_REQUIRE(all.start({Parts::maker<Base>()}));
    all.stop([] { return true; });
    BOOST_TEST(&all.get<Given>() == &given);
    BOOST_TEST(all.all().size() == 1U);
}

// A reload is asked for while the start is still building the configuration.
BOOST_AUTO_TEST_CASE(a_hangup_during_the_start_waits_for_the_part_that_reloads) {
    MainLoop main;
    BOOST_REQUIRE(std::raise(SIGHUP) == 0);
    unsigned hangups = 0;
    main.hangup().async_wait([&](const boost::system::error_code& error, int) {
        if (!error) ++hangups;
    });
    while (hangups == 0 && main.io().run_one_for(std::chrono::seconds(10)) != 0) {
    }
    BOOST_TEST(hangups == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
