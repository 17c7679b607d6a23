// Files that the operator names: read whole, or no value with the cause in errno.
#include "text_file.h"

#include <boost/test/unit_test.hpp>
#include <cerrno>

#include "support/temp_folder.h"

BOOST_AUTO_TEST_SUITE(text_file)

BOOST_AUTO_TEST_CASE(a_file_is_read_whole_and_a_folder_is_an_error) {
    const steer::test::TempFolder folder;
    const std::string large(200'001, 'x');
    BOOST_TEST((steerctl::text_of_file(folder.write("large", large)) == large));
    BOOST_TEST((steerctl::text_of_file(folder.write("empty", "")) == std::string{}));
    BOOST_TEST(!steerctl::text_of_file(folder / "missing").has_value());
    BOOST_TEST(errno == ENOENT);
    BOOST_TEST(!steerctl::text_of_file(folder.path.string()).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
