/* Tokens: the vectors of RFC 7515 A.2 and A.3, and for SHA-384 two that Node's crypto signed; every bit counts, and no
 * key is taken for one of another kind. */
#include "net_jwt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct vector {
	const char *alg, *kty, *n, *e, *crv, *x, *y, *token;
} vectors[] = {
        {.alg = "RS256",
         .kty = "RSA",
         .n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Ql"
              "L-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs"
              "LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud"
              "F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
         .e = "AQAB",
         .token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9"
                  "pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Q"
                  "c_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARN"
                  "PvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6I"
                  "eYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
        {.alg = "ES256",
         .kty = "EC",
         .crv = "P-256",
         .x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
         .y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
         .token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9"
                  "pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqP"
                  "P3-Kg6NU1Q"},
        {.alg = "RS384",
         .kty = "RSA",
         .n = "sfcyBgzFH2shfPSn9C24k-fXN2s8Z6zjSXpqHrJIGCyyvFG9JZ7Z99hiF9Nn5Xr2baSKOhClWYksyFEyyNM3MQ7qVCXbYH0p"
              "hoCSOcFlHN3Z8X2Jn4cVJBXsJU96QvKuotOO0bMzuyeUlOig7yT_mdCMCRjg4coomoP3Rl75cq-GmMEMhiwMsUHEnGzbotJJ"
              "SywWCqlNfi2AKht7XLJ486wcKM-3NFRmQnkb0nYA0uNq5jJCLxUScxToappZncLThDiiWcuj5SLUFQxMQI-_X7Apog6K2Mk-"
              "SL6f5JOGzc-W5CO1nNdOi4Mohxzu0gW0NBKvdXL-v0BJVgaup7Lr9Q",
         .e = "AQAB",
         .token = "eyJhbGciOiJSUzM4NCJ9.eyJpc3MiOiJjbGluaWMiLCJzdWIiOiJjbGluaWMifQ.fskrly0GoGlQRnCDf4PTqjD_zyh03RMD"
                  "9lJexJHf6DBPDN92VowEzZ3nDjBrlkWPsId96EXayVnU_Lc9uA81JDV7zUPXSMJ32EgP-Xx-LkETgsfNCl05RyqCB7F74tQT"
                  "lWHLhAUcvc1L6r4FeXtcLXg7P_N7bLWnexQYwAv5DVc48qnOTgWLEkVwB_GM85-iEhPnfOAjMkWBpwYSSb3wGLV7HzPwLev0"
                  "yfHQVA1-wOUkvUWMG0TSrzr90suW9EHbq0_cPKVsxQFiBG6deWFSB5_T5q9oR9ZYmVgU6DPhMnhhT-iPqzmbkTuI7as96-_8"
                  "OaHkknjIaLJHbeFOa5-WMQ"},
        {.alg = "ES384",
         .kty = "EC",
         .crv = "P-384",
         .x = "Cmcx1vucED4nSN0x-E9Au_VV16uDgwJGerPg6zDyIGLDs0v6ZvSzGEMetNk3HKLa",
         .y = "3zQ6yZ6tMVt5iBm5o140Mo5gXPg0qMmPThmjAE6GbO0s-LVD2sJkyIfS2wV_bIj_",
         .token = "eyJhbGciOiJFUzM4NCJ9.eyJpc3MiOiJjbGluaWMiLCJzdWIiOiJjbGluaWMifQ.Ed2Rh7pHVOph_kryQPLNH55QcMJvVIz-"
                  "bdfGYmwvFI8z19DwmNMWzFhNoUiEx8e1sCd1M7pHA1OMaiBVYzc9oeereF5YaL7iNB85wjlAnN7Zd4HvZ6nhqj_u9KRbXARv"},
};

#define ROWS (sizeof(vectors) / sizeof(*vectors))

static struct jwt_key key_of(const struct vector *v)
{
	return (struct jwt_key){.kty = view_str(v->kty),
	                        .n = view_str(v->n),
	                        .e = view_str(v->e),
	                        .crv = view_str(v->crv),
	                        .x = view_str(v->x),
	                        .y = view_str(v->y)};
}

static void vectors_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct jwt t;
		struct jwt_key key = key_of(&vectors[i]);
		char header[32];
		assert_true(net_jwt_key_fine(&key));
		assert_true(net_jwt_split(view_str(vectors[i].token), &t));
		copy_view(header, sizeof(header), t.header);
		assert_non_null(strstr(header, vectors[i].alg));
		assert_true(net_jwt_alg_known(view_str(vectors[i].alg)));
		assert_true(net_jwt_verify(view_str(vectors[i].alg), &key, &t));
		buf_free(&t.octets);
	}
}

/* A key does for its own algorithm only; RS256's key for RS384 too, but that hash does not fit. */
static void other_keys(void **state)
{
	(void)state;
	static const char *const none[] = {"",      "none",  "NONE", "HS256",  "HS384",
	                                   "PS256", "rs256", "RS25", "RS2566", "RS512"};
	for (size_t i = 0; i < ROWS; i++) {
		struct jwt t;
		assert_true(net_jwt_split(view_str(vectors[i].token), &t));
		for (size_t k = 0; k < ROWS; k++)
			for (size_t a = 0; a < ROWS; a++) {
				struct jwt_key key = key_of(&vectors[k]);
				bool holds = net_jwt_verify(view_str(vectors[a].alg), &key, &t);
				assert_int_equal(holds, i == k && i == a);
			}
		for (size_t a = 0; a < sizeof(none) / sizeof(*none); a++) {
			struct jwt_key key = key_of(&vectors[i]);
			assert_false(net_jwt_alg_known(view_str(none[a])));
			assert_false(net_jwt_verify(view_str(none[a]), &key, &t));
		}
		buf_free(&t.octets);
	}
}

static void one_bit(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct jwt t;
		struct jwt_key key = key_of(&vectors[i]);
		char token[2048];
		assert_true(copy_str(token, sizeof(token), vectors[i].token));
		assert_true(net_jwt_split(view_str(token), &t));
		uint8_t *octets = t.octets.p + (t.signature.p - t.octets.p);
		for (size_t bit = 0; bit < 8 * t.signature.n; bit++) {
			octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
			assert_false(net_jwt_verify(view_str(vectors[i].alg), &key, &t));
			octets[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		for (size_t bit = 0; bit < 8 * t.signed_part.n; bit++) {
			token[bit / 8] ^= (char)(1u << bit % 8);
			assert_false(net_jwt_verify(view_str(vectors[i].alg), &key, &t));
			token[bit / 8] ^= (char)(1u << bit % 8);
		}
		t.signature.n--;
		assert_false(net_jwt_verify(view_str(vectors[i].alg), &key, &t));
		t.signature.n = 0;
		assert_false(net_jwt_verify(view_str(vectors[i].alg), &key, &t));
		buf_free(&t.octets);
	}
}

static void no_tokens(void **state)
{
	(void)state;
	static const char *const bad[] = {
	        "",
	        ".",
	        "..",
	        "...",
	        "e30",
	        "e30.e30",
	        "e30.e30.",
	        ".e30.e30",
	        "e30..e30",
	        "e30.e30.e30.",
	        "e30.e30.e30.e30",
	        "e30=.e30.e30",
	        "e30.e3 0.e30",
	        "e30.e30.e3+",
	        "e30.e30.e",
	        "e30.e30.e31\n",
	        "e31.e30.e31", /* spare bits */
	};
	struct jwt t;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_false(net_jwt_split(view_str(bad[i]), &t));
		buf_free(&t.octets);
	}
	assert_true(net_jwt_split(VIEW("e30.e30.e30"), &t));
	assert_true(view_eq(t.header, VIEW("{}")) && view_eq(t.payload, VIEW("{}")));
	buf_free(&t.octets);
	char *huge = malloc(JWT_BYTES + 1);
	memset(huge, 'A', JWT_BYTES + 1);
	huge[4] = huge[8] = '.';
	for (size_t n = JWT_BYTES - 3; n <= JWT_BYTES + 1; n++) {
		bool fits = net_jwt_split(view_of(huge, n), &t);
		assert_int_equal(fits, n <= JWT_BYTES && (n - 9) % 4 != 1);
		buf_free(&t.octets);
	}
	free(huge);
}

static void no_keys(void **state)
{
	(void)state;
	struct jwt_key rsa = key_of(&vectors[0]), ec = key_of(&vectors[1]), key = {0};
	assert_false(net_jwt_key_fine(&key));
	key = rsa;
	key.kty = VIEW("oct");
	assert_false(net_jwt_key_fine(&key));
	key = rsa;
	key.n.n = 170; /* 1020 bits */
	assert_false(net_jwt_key_fine(&key));
	key = rsa;
	key.e = VIEW("AQ"); /* 1: every text is its own signature */
	assert_false(net_jwt_key_fine(&key));
	key.e = VIEW("");
	assert_false(net_jwt_key_fine(&key));
	key = ec;
	key.y = ec.x; /* no point of the curve */
	assert_false(net_jwt_key_fine(&key));
	key = ec;
	key.crv = VIEW("P-384");
	assert_false(net_jwt_key_fine(&key));
	key.crv = VIEW("secp256k1");
	assert_false(net_jwt_key_fine(&key));
	key = ec;
	key.x.n -= 2;
	assert_false(net_jwt_key_fine(&key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(vectors_hold), cmocka_unit_test(other_keys), cmocka_unit_test(one_bit),
	        cmocka_unit_test(no_tokens),    cmocka_unit_test(no_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
