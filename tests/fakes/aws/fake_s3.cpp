#include "fakes/aws/fake_s3.hpp"
