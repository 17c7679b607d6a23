#include "control/sinks/fleet/shared_inbox.h"

#include <boost/test/unit_test.hpp>

namespace steer::fleet {

BOOST_AUTO_TEST_CASE(an_inbox_has_room_for_so_many_entries_and_for_each_answer) {
    SharedInbox inbox;
    std::size_t taken = 0;
    BOOST_TEST(inbox.has_room(SharedInbox::kMost));
    for (std::size_t i = 0; i < SharedInbox::kMost; ++i)
        BOOST_TEST(inbox.put_entry([&taken] { ++taken; }));
    BOOST_TEST(!inbox.has_room(1));
    BOOST_TEST(!inbox.put_entry([] {}));
    bool is_answered = false;
    inbox.put([&is_answered] { is_answered = true; });
    BOOST_TEST(!inbox.take_lost());  // there is no room yet
    while (const auto next = inbox.take())
        (*next)();
    BOOST_TEST(taken == SharedInbox::kMost);
    BOOST_TEST(is_answered);
    BOOST_TEST(inbox.take_lost());
    BOOST_TEST(!inbox.take_lost());
}

}  // namespace steer::fleet
